"""Report models, charts and tables of a release, and the pages made of them.

Reads like any user: through the public API of a release, never through its files.
"""
