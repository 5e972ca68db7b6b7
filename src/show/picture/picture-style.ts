/**
 * Colours and type of the picture: variables for light and dark, contrast of text at least 4.5 : 1 in both.
 */
export const pictureStyle = `
.hv{--sheet:#f6f7f9;--card:#fff;--edge:#d5dae1;--ink:#17202b;--soft:#586474;--rail:#aab4c0;--hover:#eef2f7;
--ready:#1a7f4b;--caution:#9a6200;--refused:#b3312c;--unknown:#44607e;--mark:#fff;
--c0:#2f62c9;--c1:#8a3ab0;--c2:#0f7a85;--c3:#a8460f;--c4:#5b6b00;--c5:#b02a6b}
@media (prefers-color-scheme:dark){.hv{--sheet:#12161c;--card:#1b212a;--edge:#323b47;--ink:#e6ebf1;--soft:#9aa7b6;--rail:#4d5967;--hover:#232b36;
--ready:#4cc38a;--caution:#e0a83c;--refused:#f0736c;--unknown:#8fb0d2;--mark:#12161c;
--c0:#7aa5ff;--c1:#cf93f0;--c2:#56c8d3;--c3:#f39a63;--c4:#b9c94a;--c5:#f285b7}}
.hv text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;fill:var(--ink)}
.hv .title{font-size:16px;font-weight:650}.hv .name{font-size:13px;font-weight:600}.hv .bus{font-weight:650}
.hv .mono{font:13px ui-monospace,"Cascadia Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
.hv .muted,.hv .small{fill:var(--soft)}.hv .small{font-size:11px}.hv .uses{fill:var(--ink)}
.hv .sheet{fill:var(--sheet)}.hv .card{fill:var(--card);stroke:var(--edge)}.hv .port{fill:var(--sheet);stroke:var(--rail)}
.hv .rail{fill:none;stroke:var(--rail);stroke-width:1.5}.hv .hit{fill:transparent}.hv .row:hover .hit{fill:var(--hover)}
.hv .dot.ready{fill:var(--ready)}.hv .dot.caution{fill:var(--caution)}.hv .dot.refused{fill:var(--refused)}.hv .dot.unknown{fill:var(--unknown)}
.hv .mark{fill:none;stroke:var(--mark);stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round}
.hv .refused-text{fill:var(--refused)}.hv .caution-text{fill:var(--caution)}
.hv .bracket{fill:none;stroke:var(--rail);stroke-width:1.5;stroke-linecap:round}.hv .shared .bracket{stroke:var(--ink);stroke-width:2}
.hv .badge{fill:var(--sheet)}.hv .groupid{font-size:11px;fill:var(--soft)}.hv .shared .groupid{fill:var(--ink);font-weight:650}
.hv .vm0{--c:var(--c0)}.hv .vm1{--c:var(--c1)}.hv .vm2{--c:var(--c2)}.hv .vm3{--c:var(--c3)}.hv .vm4{--c:var(--c4)}.hv .vm5{--c:var(--c5)}
.hv .wire{fill:none;stroke:var(--c);stroke-width:2;opacity:.75}.hv .vm{fill:var(--card);stroke:var(--c);stroke-width:2}.hv .vmname{font-size:14px;font-weight:650;fill:var(--c)}
`
