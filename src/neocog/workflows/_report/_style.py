"""The report's style sheet: light and dark, telephone and paper. Colours keep a contrast of 4.5 to 1."""

STYLE = """
:root { color-scheme: light dark; --ink: #1b2430; --soft: #566172; --line: #d8dee7; --paper: #fff;
  --card: #f4f6f9; --train: #1f6fb2; --validation: #b94d18; --good: #176f43; --bad: #b3261e;
  --cell: 31, 111, 178; --miss: 185, 77, 24; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ee; --soft: #9fabba; --line: #353e4a; --paper: #13171d; --card: #1c222b;
    --train: #6db3ea; --validation: #f09a6b; --good: #73d2a0; --bad: #f5938a; --cell: 109, 179, 234;
    --miss: 240, 154, 107; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 2.5rem 1.25rem 4rem; background: var(--paper);
  color: var(--ink); font: 16px/1.55 system-ui, "Segoe UI", Roboto, "Noto Sans", "Apple SD Gothic Neo",
  "Malgun Gothic", "Noto Sans KR", sans-serif; }
header .name { font-size: .95rem; color: var(--soft); margin: 0 0 .4rem; }
h1 { font-size: clamp(1.6rem, 5vw, 2.5rem); line-height: 1.2; font-weight: 680; margin: 0 0 .9rem;
  letter-spacing: -.015em; text-wrap: balance; }
h2 { font-size: 1.25rem; margin: 3rem 0 .75rem; padding-top: 1.1rem; border-top: 1px solid var(--line); }
h3 { font-size: .95rem; margin: 1.5rem 0 .4rem; }
p, .hints { max-width: 46rem; }
.lead, .note { color: var(--soft); }
.lead { margin: 1rem 0 0; }
.scale { max-width: 46rem; }
.scale svg text { font-size: 12px; }
.hints { list-style: none; padding: 0; margin: 2rem 0 0; }
.hints li { border-left: 4px solid var(--validation); background: var(--card); padding: .6rem .95rem;
  margin: .6rem 0; border-radius: 0 6px 6px 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; max-width: 100%; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .32rem .8rem; text-align: right; border-bottom: 1px solid var(--line); }
td { white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
tbody th { font-weight: 500; overflow-wrap: anywhere; min-width: 6rem; }
thead th { font-weight: 600; color: var(--soft); font-size: .85rem; vertical-align: bottom; }
.matrix td, .matrix th { text-align: center; padding: .35rem .45rem; min-width: 2.7rem; border: 0; }
.matrix tbody th { text-align: right; padding-right: .8rem; min-width: 0; }
.matrix .long { display: block; max-width: 12rem; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; }
.matrix thead .long { max-width: 7rem; }
.matrix td { border: 2px solid var(--paper); border-radius: 6px; }
.bar { display: inline-block; height: .55rem; border-radius: 3px; background: var(--train);
  vertical-align: middle; }
.recall { text-align: left; width: 9rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr));
  gap: 1.5rem; }
figure { margin: 0; }
.charts figure { max-width: 34rem; }
figcaption { font-weight: 600; font-size: .92rem; margin-bottom: .3rem; }
svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--soft); font: 11px system-ui, sans-serif; }
.legend { color: var(--soft); font-size: .9rem; }
.legend span { display: inline-block; margin-right: 1.3rem; overflow-wrap: anywhere; }
.legend i { display: inline-block; width: 1.4rem; height: 3px; vertical-align: middle;
  margin-right: .45rem; border-radius: 2px; }
.mistakes { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: 1.25rem 1rem;
  padding: 0; margin: 1rem 0 0; list-style: none; }
.mistakes img { width: 100%; aspect-ratio: 1; object-fit: contain; background: var(--card);
  border-radius: 8px; display: block; }
.mistakes img.tiny { image-rendering: pixelated; }
.mistakes p { margin: .45rem 0 0; font-size: .9rem; line-height: 1.35; overflow-wrap: anywhere; }
.mistakes small { color: var(--soft); display: block; }
.wrong { color: var(--bad); font-weight: 600; }
.true { color: var(--good); font-weight: 600; }
pre { background: var(--card); padding: .85rem 1.05rem; border-radius: 8px; overflow-x: auto;
  font-size: .88rem; line-height: 1.5; }
code { font-family: ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.4rem; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
details { margin: 1rem 0; }
summary { cursor: pointer; }
footer { margin-top: 3rem; color: var(--soft); font-size: .9rem; }
@media (max-width: 34rem) { body { padding-top: 1.5rem; } dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .5rem; } .recall { display: none; } th, td { padding: .3rem .4rem; }
  .matrix td, .matrix th { min-width: 2.1rem; padding: .3rem .2rem; }
  .matrix .long, .matrix thead .long { max-width: 5rem; } .scale svg text { font-size: 20px; }
  .mistakes { grid-template-columns: repeat(auto-fill, minmax(7rem, 1fr)); } }
@media print { body { padding: 0; max-width: none; font-size: 10.5pt; } h2 { break-after: avoid; }
  li, tr, figure, pre { break-inside: avoid; } .mistakes { grid-template-columns: repeat(6, 1fr); }
  td, .bar, i, .hints li { -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
"""
