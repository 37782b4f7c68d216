"""People and events in: files are checked into a staging file, and only then reach the store.

`importing` tells the story. `reading` turns any file into chunks of text columns, `checking`
into typed rows or rejects with a reason, `staging` decides about the whole, `applying` moves
it into the store in short writes. `consent`, `sources` and `quality` say what may be sent, up
to when the data are complete, and how good they are.
"""
