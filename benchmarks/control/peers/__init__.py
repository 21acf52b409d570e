"""The attack cases of control, posed to the human-in-the-loop of three agent SDKs: what is compared, and what is not.

LangGraph, pydantic-ai and openai-agents let a program stop for a person's answer. None of them claims to be a gate: who
may answer, how long and how often is the application's part, and pydantic-ai's documentation warns that its approval is
no authorization boundary. So `not_refused` means that an application which needs this must build it; it is no defect.

Each SDK is used as its documentation recommends, in its strongest form: LangGraph with its approve-or-reject graph, the
SQLite checkpointer, `durability="sync"` and answers by interrupt id; pydantic-ai with `requires_approval` and a stored
message history; openai-agents with `needs_approval` and a stored `RunState`. What an add-on or a server would bring
(LangGraph Platform, LangChain's middleware, pydantic-ai on Temporal, DBOS or Prefect) is not measured. A case is posed
only where the SDK has the thing that it attacks: what concerns providers' signatures, cards, sandboxes, executors,
policies and audit trails is not applicable, and neither is a case that would ask an SDK the same question again.
Bulkhead's row is its own tests of the same cases, written by those who wrote Bulkhead.

`cases` says how each case is posed, `posing` runs one peer's attacks, `on_...` are the attacks, `section` prints.
"""
