"""What a fetched page says to what was asked of it: its title, its links, the sentences that fit a question.

What was asked stands in the step's `why`, parted by " | ": `title`, `links`, `count of links`, `text: <question>`, as
the offline planner writes it.
"""

from collections import Counter
from math import log
from typing import Any

from services.journal.finished_steps import FinishedStep
from services.phrases import words

MOST_LINKS = 30
MOST_SENTENCES = 3
NEAR_BEST = 0.6


def of(step: FinishedStep) -> str:
    """One part of the answer for everything that was asked of this page; empty when the page was only a means."""
    page = step.output if isinstance(step.output, dict) else {}
    asks = [ask.strip() for ask in (step.why or "").split(" | ") if ask.strip()]
    return "\n".join(_answer(ask, page, str(step.arguments.get("url", ""))) for ask in asks)


def _answer(ask: str, page: dict[str, Any], url: str) -> str:
    if ask == "title":
        title = str(page.get("title") or "").strip()
        return f"The title of {url} is “{title}”." if title else f"{url} has no title."
    links = [link for link in page.get("links") or [] if isinstance(link, dict)]
    if ask == "count of links":
        return f"{url} has {len(links) or 'no'} link{'' if len(links) == 1 else 's'}."
    if ask == "links":
        return _links(links, url)
    return _about(ask.removeprefix("text:").strip(), page, url)


def _links(links: list[dict[str, Any]], url: str) -> str:
    if not links:
        return f"{url} has no links."
    lines = [f"- {_label(link)}{link.get('url', '')}" for link in links[:MOST_LINKS]]
    more = f"\n… and {len(links) - MOST_LINKS} more." if len(links) > MOST_LINKS else ""
    return f"{url} has {len(links)} link{'' if len(links) == 1 else 's'}:\n" + "\n".join(lines) + more


def _label(link: dict[str, Any]) -> str:
    text = " ".join(str(link.get("text") or "").split())
    return f"{text}: " if text else ""


def _about(question: str, page: dict[str, Any], url: str) -> str:
    found = fitting(question, str(page.get("text") or ""), str(page.get("title") or ""))
    if not found:
        return f"{url} says nothing that fits “{question}”."
    return f"{url} says: {' '.join(found)}"


def fitting(question: str, text: str, title: str = "") -> list[str]:
    """The sentences of `text` that fit `question` best, in their order; none when no content word is shared.

    Words weigh by how rare they are on the page (inverse sentence frequency); words of the title count half, for
    all of the page is about them.
    """
    sentences = words.sentences(text)
    wanted = words.content(question)
    stems = [words.content(sentence) for sentence in sentences]
    frequency = Counter(stem for sentence in stems for stem in sentence & wanted)
    subject = words.content(title)
    weight = {stem: log(1 + len(sentences) / frequency[stem]) * (0.5 if stem in subject else 1) for stem in frequency}
    scores = [sum(weight[stem] for stem in sentence & wanted) for sentence in stems]
    best = max(scores, default=0)
    if best <= 0:
        return []
    ranked = sorted(range(len(sentences)), key=lambda index: -scores[index])[:MOST_SENTENCES]
    return [sentences[index] for index in sorted(ranked) if scores[index] >= NEAR_BEST * best]
