"""Memory: what outlives a run, and how it is found again.

memories.py  the table; add, read, list                 retrieval.py  search, step by step
scopes.py    whose a memory is                          planner.py    which way a search takes (search_*.sql)
turns.py     which talk a memory is a turn of           ranking.py    the last ranking, part by part
gate.py      junk, repeats, instructions from outside   questions.py  what a query asks for
facts.py     what a sentence is a fact about            recall.py     what fits a request, or nothing
learning.py  sentences into facts; contradictions       vectors.py    vectors by model, and who has none yet
provenance.py  where a run's words come from            reembedding.py, vector_index.py  another model; HNSW
care.py      supersede, history, forget, review, why    embedders.py, embedding.py, minilm.py (data/)  the embedders
transfer.py  lines of JSON, out and in               short_term.py  the conversation: last messages, summary
"""
