"""What everyday words for numbers, dates, places and units mean, and how to cut text into sentences and content words.

The built-in tools resolve arguments by it, the offline brain recognises them by it. Pure: no I/O but two data files.
"""
