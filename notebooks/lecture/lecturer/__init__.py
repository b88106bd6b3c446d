"""What a lecturer needs beside the notebooks: quizzes, exams, handouts, scores, a concept test.

Nobody imports this but `make.py` beside it, whose commands these are, and the tests.
"""
