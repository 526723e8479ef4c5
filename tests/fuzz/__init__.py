"""Random programs, run in every way there is: `python -m tests.fuzz`.

drawing    a program of any ops of the registry, on values of mixed shapes and dtypes
running    the ways: define-by-run, compiled, compiled without fusion, with everything fused, as first seen
peer       the same by torch, where it is installed
comparing  what counts as the same
"""
