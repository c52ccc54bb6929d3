"""Memory: what outlives a run, and how it is found again.

memories.py   the table; add, embed, list, forget       embedders.py  which embedder this process uses
turns.py      which talk a memory is a turn of          embedding.py  vectors and the space they live in
retrieval.py  search (its one query: search.sql)        minilm.py     the embedded default; its tokenizer: data/
recall.py     what fits a request, or nothing
"""
