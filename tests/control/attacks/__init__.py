"""One test for each way in which approvals were forged, replayed, misread or outrun elsewhere; named by its case."""
