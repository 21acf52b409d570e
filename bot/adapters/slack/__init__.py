"""Slack: Socket Mode or HTTP in, the Web API out. Takes payloads and gives `Inbound`; takes `Outbound` and keeps one
message.

| module | does |
|---|---|
| `payloads`, `typed`, `reading` | payload -> what it means (pure) |
| `shortcut` | the modal of "Ask Bulkhead" (pure) |
| `writing` | `Outbound` -> text, blocks, buttons within Slack's limits (pure) |
| `api` | one call of the Web API; Slack's errors become ours; an account in trouble is called no more |
| `channel` | placeholder, then edits: the courier's side |
| `files` | files of people, kept; files of ours, uploaded |
| `intake` | one envelope, whichever way it came, committed before it is acknowledged |
| `hooks` | HTTP: signature, forms, answers |
| `assistant`, `home` | the assistant's container; App Home |
| `sockets` | two sockets that are never both closed, and who notices that one went deaf |
| `history` | what was said during a silence or a stop |
| `probe` | what `bulkhead doctor` asks Slack |
| `account` | all of it, started and stopped |
| `manifest` | what to paste at api.slack.com |

The vendor is imported by `api`, `sockets`, `hooks` and `account` only.
"""
