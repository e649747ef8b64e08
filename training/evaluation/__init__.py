"""How good the verdicts are: labelled rows and their scores in, figures with intervals and a page out.

Pure: no grpc, redis, Triton, files or clock. The way is one: `rows` and `scored` (what was said, what was
found) -> `questions` (who is asked what) -> `figures` (every number, resampled by `resampling`) ->
`evaluation` -> `to_json` and `html`. `comparing` puts two of them side by side.
"""
