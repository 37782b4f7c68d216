"""campaigns.yaml → specs.

In order: `files` reads the file and what it includes, `source` composes nodes that keep text and place, `spec`
says what may stand there (`quantities`, `scalars` how single values are written), `load` builds the specs and
`words` says what did not fit; `check` finds what only shows across fields; `resolve` makes one campaign
complete; `support` refuses what is not built yet; `schema` and `reference` tell others the grammar.
"""
