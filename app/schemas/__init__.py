"""The shape of requests and answers, for validation and for OpenAPI.

shown       what the codec or the engine validates, described here for OpenAPI
graph       statements: one level of each, so a thousand cost a few milliseconds
request     the envelope of a request
response    the answer
endpoints   the POST routes: what each is asked and answers beside that
"""
