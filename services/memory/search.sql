-- One search over one owner's memories, exact, in one round trip. Parameters: tenant, user_id, conversation_id, kinds,
-- query (text), vector and space (null when the query could not be embedded), k.
with
-- The query's words, each as a tsquery of its own. The longest are kept: they tell more, and bound the work.
terms as materialized (
  select row_number() over () as term,
         ('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''')::tsquery as word
  from unnest(tsvector_to_array(to_tsvector('english', :query))) as lexeme
  order by length(lexeme) desc limit 40
),
-- One look at each row; what is sorted later carries neither vectors nor lexemes.
owned as materialized (
  select m.id, m.thread collate "C" as thread, m.speaker, m.at, m.position, hit.terms, hit.ranks,
         case when m.embedding_model = :space then 1 - (m.embedding <=> cast(:vector as halfvec)) end as cosine
  from memories m
  cross join lateral (
    select array_agg(t.term) as terms, array_agg(ts_rank(m.lexemes, t.word)) as ranks
    from terms t where m.lexemes @@ t.word
  ) hit
  where m.tenant = :tenant and m.user_id = :user_id and (m.valid_to is null or m.valid_to > now())
    and (cast(:conversation_id as text) is null or m.conversation_id = :conversation_id)
    and (cast(:kinds as text[]) is null or m.kind = any(cast(:kinds as text[])))
),
hits as materialized (
  select o.id, h.term, h.rank from owned o cross join unnest(o.terms, o.ranks) as h (term, rank)
),
-- How rare a word is among this owner's memories (BM25's idf, always positive).
rarity as (
  select t.term, ln(1 + (n.total - coalesce(h.holders, 0) + 0.5) / (coalesce(h.holders, 0) + 0.5)) as idf
  from terms t
  cross join (select count(*) as total from owned) n
  left join (select term, count(*) as holders from hits group by term) h using (term)
),
lexical as (
  select h.id, sum(r.idf * h.rank) as points, sum(r.idf) / (select sum(idf) from rarity) as coverage
  from hits h join rarity r using (term) group by h.id
),
fused as (
  select o.id, o.thread, o.speaker, o.at, o.position, o.cosine, coalesce(l.coverage, 0) as coverage,
         coalesce(l.points / nullif(max(l.points) over (), 0), 0) as words,
         avg(o.cosine) over () as middle
  from owned o left join lexical l using (id)
),
based as (
  select f.*,
         case when middle is null then words else 0.4 * words + 0.6 * coalesce(cosine, middle) end as base
  from fused f
),
-- A pause of an hour parts a talk into sessions.
paused as (
  select b.*, case when at - lag(at) over talk > interval '1 hour' then 1 else 0 end as pause
  from based b window talk as (partition by thread order by at, position)
),
sessions as (
  select p.*, sum(pause) over (partition by thread order by at, position) as session from paused p
),
ranked as (
  select s.*, row_number() over (partition by thread, session order by base desc) as place,
         lag(base, 1) over talk as before1, lag(base, 2) over talk as before2,
         lead(base, 1) over talk as after1, lead(base, 2) over talk as after2
  from sessions s window talk as (partition by thread, session order by at, position)
),
-- Whom the query names, if it names exactly one of those who speak.
named as (
  select min(speaker) as speaker
  from (select distinct speaker from owned where speaker is not null) s
  where strpos(:padded_query, ' ' || lower(speaker) || ' ') > 0
  having count(*) = 1
),
scored as (
  select r.*,
         base + case when thread is null then 0 else
           0.3 * coalesce(before1, 0) + 0.2 * coalesce(after1, 0) + 0.1 * coalesce(before2, 0)
           + 0.1 * coalesce(after2, 0)
         end as lent
  from ranked r
),
priors as (
  select s.*, avg(lent) filter (where place <= 3) over (partition by thread, session) as prior, max(lent) over () as top
  from scored s
)
select m.id, m.text, m.kind, m.at, m.metadata, m.conversation_id, m.source_run, m.source_step, m.trusted,
       best.score, best.cosine, best.coverage
from (
  select p.id, p.cosine, p.coverage,
         p.lent + case when p.thread is null then 0 else 0.3 * p.prior end
         + case when p.speaker = (select speaker from named) then 0.15 * p.top else 0 end as score
  from priors p order by score desc, at desc, position desc limit :k
) best
join memories m using (id)
order by best.score desc, m.at desc, m.position desc
