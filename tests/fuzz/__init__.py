"""Fuzzers: strange arguments, strange messages and damaged files, thousands of them if asked.

All run in a child process (`child.py`), so that a crash or an endless loop is seen and counted.
"""
