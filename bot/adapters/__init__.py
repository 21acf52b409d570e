"""One file per chat platform: what was sent -> `Inbound`, `Outbound` -> what is taken (both pure), then the socket."""
