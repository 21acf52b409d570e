"""The five layers between the agent and the world: transport, presentation, control, coordination, routing.

The law: no layer imports another. Where one needs another, bot.app passes a function. Below them lie `store`, and the
nouns and errors that cross floors.
"""
