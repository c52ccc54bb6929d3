-- Every memory that a search may see, with what words and vectors say of it: for owners of few rows.
-- planner.py fills in the conditions on m. Parameters: query, vector and space (null when the query could not be embedded).
with
-- The query's words, each as a tsquery of its own. The longest are kept: they tell more, and bound the work.
terms as materialized (
  select row_number() over () as term,
         ('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''')::tsquery as word
  from unnest(tsvector_to_array(to_tsvector('english', :query))) as lexeme
  order by length(lexeme) desc limit 40
)
select m.id, m.kind, m.thread, m.speaker, m.at, m.position, m.text, m.use_count, m.last_used_at,
       hit.terms, hit.ranks, (select count(*) from terms) as asked, halfvec_send(v.embedding) as vector,
       1 - (v.embedding <=> cast(:vector as halfvec)) as cosine
from memories m
cross join lateral (
  select array_agg(t.term) as terms, array_agg(ts_rank(m.lexemes, t.word)) as ranks
  from terms t where m.lexemes @@ t.word
) hit
left join memory_vectors v on v.memory_id = m.id and v.space = :space
where {visible}
