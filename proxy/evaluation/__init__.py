"""Measures how much of what matters survives compression: answers, documents, words.

Knows texts, gold answers and the public face of `compressors`. No language model answers anything here, so it
measures retention, not accuracy.
"""
