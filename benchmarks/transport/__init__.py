"""What the providers get to see of Bulkhead, measured at the providers: `python -m benchmarks.transport`.

The real server runs in a process of its own against servers that speak the providers' protocols over real sockets.
Whatever is counted is counted there: what was lost, doubled, called too often, or said in a way that notifies people.
"""
