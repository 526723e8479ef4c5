"""Timed cases: `make bench`, or `python -m bench`. Never part of the tests."""
