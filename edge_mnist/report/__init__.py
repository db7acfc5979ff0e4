"""One HTML file that tells all about models: a report that is read where nothing is installed.

subject.py, latency.py and repetition.py need an engine only; the others TensorFlow, matplotlib and
Jinja2, which the report extra has.
"""
