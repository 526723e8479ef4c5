"""Graphs that the service keeps: those seen lately, by `graph_id`, and those registered at /graphs/{name}.

shelf       what looks a graph_id up; the 404 that says how to send a graph
schema      the tables of the SQLite file
database    one process's connection to it
named       what a request says of the one it is about
versions    a registered graph's content, and the hash that names it
names       registered graphs in the file
store       all of the file: graphs seen lately, and `names`
learned     what the event loop knows of it
conditions  ETags, `If-Match`, `If-None-Match`
"""
