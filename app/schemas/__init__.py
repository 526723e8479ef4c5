"""The shape of requests and answers, for validation and for OpenAPI.

shown       what the codec or the engine validates, described here for OpenAPI
graph       statements: one level of each, so a thousand cost a few milliseconds
request     what every POST route is asked
registered  what /graphs/{name} is sent and answers
response    the parts of answers
"""
