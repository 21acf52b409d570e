"""Slack: Socket Mode in, the Web API out. Takes payloads and gives `Inbound`; takes `Outbound` and keeps one message.

| module | does |
|---|---|
| `reading` | payload -> what it means (pure) |
| `writing` | `Outbound` -> text, blocks, buttons within Slack's limits (pure) |
| `api` | one call of the Web API; Slack's errors become ours; an account in trouble is called no more |
| `channel` | placeholder, then edits: the courier's side |
| `sockets` | two sockets that are never both closed, and who notices that one went deaf |
| `history` | what was said during a silence |
| `account` | all of it, started and stopped |
| `manifest` | what to paste at api.slack.com |

Left out for now: events over HTTP, App Home, the assistant container, the message shortcut, files that people send. The
vendor is imported by `api`, `sockets` and `account` only.
"""
