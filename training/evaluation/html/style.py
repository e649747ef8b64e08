"""The looks of the page: one column on a phone, light or dark as the reader's system is."""

from __future__ import annotations

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1b1f24; --faint: #5c6670; --line: #d5dbe1; --panel: #f5f7f9;
  --fused: #1d5fd1; --model: #c2570c; --heuristics: #6b7684; --good: #177245; --bad: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --ink: #e4e8ec; --faint: #98a3ae; --line: #343b43; --panel: #1c2126;
    --fused: #7fb0ff; --model: #f2a05c; --heuristics: #9aa6b3; --good: #63c795; --bad: #ff8a80;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.2rem 1rem 4rem; max-width: 72rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif;
}
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; margin: 2.4rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.4rem 0 .3rem; }
p { max-width: 46rem; margin: .4rem 0 .8rem; }
.faint, figcaption small, td small { color: var(--faint); }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1rem; font-size: .9rem; margin: .8rem 0; }
a { color: var(--fused); }
.scroll { overflow-x: auto; margin: .5rem 0 1rem; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--faint); padding-bottom: .3rem; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th { font-weight: 600; }
th[scope=row], th.first { text-align: left; position: sticky; left: 0; background: var(--paper); }
th[scope=row] { white-space: normal; min-width: 7rem; max-width: 42vw; font-weight: 500; }
th, td { vertical-align: top; }
@media (max-width: 30rem) { th, td { padding: .3rem .35rem; } table { font-size: .8rem; } }
td small { display: block; font-size: .75rem; }
tr.few td { color: var(--faint); }
.good { color: var(--good); } .bad { color: var(--bad); }
td.heat { background: color-mix(in srgb, var(--fused) calc(var(--heat) * 55%), transparent); }
details { margin: .4rem 0; }
summary { cursor: pointer; color: var(--faint); padding: .3rem 0; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(19rem, 100%), 1fr)); gap: 1rem; }
figure { margin: 0; padding: .6rem; background: var(--panel); border-radius: 8px; }
figcaption { font-size: .875rem; font-weight: 600; margin-bottom: .2rem; }
figcaption small { display: block; font-weight: 400; }
svg { display: block; width: 100%; height: auto; overflow: visible; }
svg text { fill: var(--faint); font-size: 11px; }
svg text.name { fill: var(--ink); }
.axis { stroke: var(--line); stroke-width: 1; fill: none; }
.base { stroke: var(--faint); stroke-width: 1; stroke-dasharray: 3 3; }
.fused { --series: var(--fused); } .model { --series: var(--model); }
.heuristics { --series: var(--heuristics); }
path.series { stroke: var(--series); stroke-width: 1.8; fill: none; stroke-linejoin: round; }
circle.series, rect.series { fill: var(--series); }
.whisker { stroke: var(--ink); stroke-width: 1.2; }
.few { opacity: .45; }
.key { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; font-size: .875rem; margin: .4rem 0 .8rem; }
.key i { display: inline-block; width: 1rem; height: .25rem; margin-right: .4rem; vertical-align: middle;
  background: var(--series); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; font-size: .875rem; }
dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; }
"""
