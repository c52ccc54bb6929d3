"""The brain: any OpenAI-compatible endpoint. The only room that imports `openai`.

provider.py     complete, stream, embed: what everybody calls      endpoints.py   where the model is, what it can't do
shapes.py       messages, completions, usage                       faults.py      the SDK's errors in our words
json_text.py    JSON out of what a model wrote                     attempts.py    trying again, within the time
data_fence.py   data in prompts, never instructions                time_limits.py calls that end when their time is over
context.py      how long a prompt may be, how a model is sampled   fallbacks.py  another model while one is out
breaker.py      leaves alone what fails again and again
"""
