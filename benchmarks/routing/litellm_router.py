"""LiteLLM's own router on the same failures: `python -m benchmarks.routing.litellm_router URL MODEL...`, JSON out.

Set up as its documentation advises: a fallback, no retries, streamed. One object per model: what came, and whether what
came was a tool call whose arguments are no JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

os.environ |= {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION", "LITELLM_LOG": "ERROR"}

QUESTION = "one two three four five six seven eight nine ten eleven twelve"
TOOLS = [{"type": "function", "function": {"name": "draw", "parameters": {"type": "object", "properties": {}}}}]


async def one(litellm: Any, url: str, model: str) -> dict[str, object]:  # noqa: ANN401  a library without types
    """The question put to `model`, with an echo to fall back on."""

    def deployment(name: str, model: str) -> dict[str, object]:
        params = {"model": f"openai/{model}", "api_base": url, "api_key": "k", "timeout": 1.0, "max_retries": 0}
        return {"model_name": name, "litellm_params": params}

    router = litellm.Router(
        model_list=[deployment("first", model), deployment("second", "echo")],
        fallbacks=[{"first": ["second"]}],
        num_retries=0,
    )
    text, arguments, error = "", "", ""
    try:
        messages = [{"role": "user", "content": QUESTION}]
        async for chunk in await router.acompletion(model="first", messages=messages, tools=TOOLS, stream=True):
            delta = chunk.choices[0].delta
            text += delta.content or ""
            arguments += "".join(call.function.arguments or "" for call in delta.tool_calls or ())
    except Exception as failure:  # noqa: BLE001  whatever it raises is the result
        error = type(failure).__name__
    is_broken = bool(arguments) and not is_json(arguments)
    return {"model": model, "shown": text, "error": error, "broken_tool_call": is_broken}


def is_json(text: str) -> bool:
    """Whether it is."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


async def main(url: str, models: list[str]) -> None:
    """Every model once."""
    import litellm  # seconds; the settings above must stand first

    litellm.suppress_debug_info = True
    told = [await one(litellm, url, model) for model in models]
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    os._exit(0)  # its threads would hold the process


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2:]))
