"""What is true in Perdure. Every process imports these rooms; they import no process.

settings.py   the environment, read once          journal/    runs, plans, steps, attempts, events, conversations
database.py   connections and transactions        pipeline/   the Celery app, the phases, recovery, embedded servers
clock.py      the one clock                       model/      the brain: any OpenAI-compatible endpoint
errors.py     every error we raise ourselves      tools/      the @tool contract and the catalogue of known tools
logs.py       structured logs                     memory/     what outlives a run, and how it is found again
                                                  access/     API keys and tenants
                                                  approvals/  the policy, and what people are asked
                                                  secrets/    the vault, handles, redaction
                                                  flow/       limits per key, turns between tenants
                                                  network/    the guarded HTTP client of all network tools
                                                  delivery/   messages to URLs, and what comes in
"""
