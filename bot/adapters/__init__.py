"""One file per chat platform: what a provider sent -> `Inbound`, `Outbound` -> what it takes (both pure), then delivery."""
