"""The language of programs: plain dicts, or a text, read into statements, every error named by its place.

Where things are, each line from what it needs to what needs it:

words       notation (ids, fields, numbers), statements, canonical (statements as JSON again)
reading     arguments, state (backward and its kin), flow (statements with bodies), reading, text
"""
