-- The best memories of many by words and the best by meaning, with the turns around them: for owners of many rows.
-- planner.py fills in the conditions on m and the query that gives the nearest vectors as (id).
-- Parameters: query, vector and space, owner_words (a tsquery text that holds the owners), common (a word in more than
-- this share of all memories is not looked up when rarer ones are), total (how many rows may be seen), most (of each leg).
with
lexemes as materialized (
  select row_number() over () as term, lexeme,
         ('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''')::tsquery as word
  from unnest(tsvector_to_array(to_tsvector('english', :query))) as lexeme
  order by length(lexeme) desc limit 40
),
-- How common each word is, where the rows are too many to count: in the first of them. (The table's own statistics are
-- of all tenants, so Postgres shows them to nobody who is held to row-level security.)
statistics as materialized (
  select lexeme, count(*) / 1000.0 as share
  from (select m.lexemes from memories m where :common < 1 and {visible} limit 1000) sample
  cross join lateral unnest(tsvector_to_array(sample.lexemes)) as lexeme
  group by lexeme
),
terms as materialized (
  select l.term, l.word, coalesce(s.share, 0.0005) as share,
         row_number() over (order by coalesce(s.share, 0.0005)) as rarity
  from lexemes l left join statistics s using (lexeme)
),
wanted as materialized (
  select cast(:owner_words as tsquery) && string_agg('(' || word::text || ')', ' | ')::tsquery as words
  from terms where share <= :common or rarity = 1
),
matched as materialized (
  select m.id, t.term, ts_rank(m.lexemes, t.word) as rank
  from memories m join terms t on m.lexemes @@ t.word
  where m.lexemes @@ (select words from wanted) and {visible}
),
-- How rare each word is (BM25's idf): among these rows if all words were looked up, else as the statistics have it.
weights as materialized (
  select term, ln(1 + (greatest(:total - holders, 0) + 0.5) / (holders + 0.5))::float4 as idf
  from (
    select t.term, case when :common >= 1 then count(m.id) else t.share * :total end as holders
    from terms t left join matched m using (term) group by t.term, t.share
  ) counted
),
worded as materialized (
  select m.id from matched m join weights w using (term)
  group by m.id order by sum(w.idf * m.rank) desc limit :most
),
nearest as materialized ({nearest}),
found as materialized (select id from worded union select id from nearest),
around as materialized (
  select n.id from found f join memories h on h.id = f.id
  cross join lateral (
    (select m.id from memories m
     where m.tenant = h.tenant and m.owner = h.owner and m.thread = h.thread and (m.at, m.position) < (h.at, h.position)
       and {visible}
     order by m.at desc, m.position desc limit 2)
    union all
    (select m.id from memories m
     where m.tenant = h.tenant and m.owner = h.owner and m.thread = h.thread and (m.at, m.position) > (h.at, h.position)
       and {visible}
     order by m.at, m.position limit 2)
  ) n
  where h.thread is not null
),
chosen as (select id from found union select id from around)
select m.id, m.kind, m.thread, m.speaker, m.at, m.position, m.text, m.use_count, m.last_used_at,
       hit.terms, hit.ranks, hit.weights, (select sum(idf) from weights) as asked, halfvec_send(v.embedding) as vector,
       1 - (v.embedding <=> cast(:vector as halfvec)) as cosine
from chosen join memories m using (id)
cross join lateral (
  select array_agg(t.term) as terms, array_agg(ts_rank(m.lexemes, t.word)) as ranks, array_agg(w.idf) as weights
  from terms t join weights w using (term) where m.lexemes @@ t.word
) hit
left join memory_vectors v on v.memory_id = m.id and v.space = :space
