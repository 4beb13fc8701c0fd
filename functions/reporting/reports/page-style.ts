/** The page's style: one column, readable on a phone, in the dark and on paper. */
export const pageStyle = `
:root{--ink:#14213d;--soft:#5b6785;--line:#e3e8f2;--page:#f5f7fb;--card:#fff;--blue:#2f6bff;--blue-soft:#dfe8ff;--teal:#0f9d8a;--green:#1f8a4c;--amber:#b26a00;--red:#c4314b;color-scheme:light dark}
@media (prefers-color-scheme:dark){:root{--ink:#e9eefb;--soft:#a3afcc;--line:#2a3550;--page:#0e1525;--card:#161f33;--blue:#6c97ff;--blue-soft:#25335a;--teal:#3fc9b4;--green:#5ccb8b;--amber:#f0b050;--red:#ff7c90}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:880px;margin:0 auto;padding:40px 20px 56px}
header{margin-bottom:26px}
.kicker{margin:0;color:var(--blue);font-weight:600;letter-spacing:.04em;text-transform:uppercase;font-size:13px}
main{overflow-wrap:anywhere}h1{margin:4px 0;font-size:38px;line-height:1.15;letter-spacing:-.02em}
h2{margin:0 0 14px;font-size:19px;letter-spacing:-.01em;display:flex;gap:10px;align-items:center;flex-wrap:wrap}
h3{margin:14px 0 4px;font-size:14px}
.when{margin:0;color:var(--soft);font-size:17px}
.card,.kpi{background:var(--card);border:1px solid var(--line);border-radius:16px}
.card{padding:22px 24px;margin:16px 0}
.kpis{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px}
.kpi{padding:16px 18px}
.kpi h3{margin:0;font-size:13.5px;line-height:1.3;min-height:2.6em;display:flex;align-items:end;color:var(--soft);font-weight:500}
.figure{margin:4px 0 2px;font-size:24px;font-weight:700;letter-spacing:-.02em;font-variant-numeric:tabular-nums;white-space:nowrap}
small{font-size:14px;font-weight:600;color:var(--soft);letter-spacing:0}
.change{margin:0;font-size:12.5px;color:var(--soft)}
.change.up{color:var(--green)}.change.down{color:var(--red)}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(380px,1fr));gap:0 16px}
.pair .card{margin:0}
svg{display:block;width:100%;height:auto;overflow:visible}
svg text{fill:var(--ink);font:13px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif}
.bar{fill:var(--blue)}.bar.other{fill:var(--teal)}.track{fill:var(--line)}.minus{fill:var(--blue-soft);stroke:var(--blue);stroke-width:1}.plus{fill:var(--teal);opacity:.5}
.base{stroke:var(--line)}.line{fill:none;stroke:var(--teal);stroke-width:2.5;stroke-linejoin:round}.dot{fill:var(--teal)}
svg .value,svg .axis{text-anchor:middle}svg .value{fill:var(--soft);font-size:12px}svg .axis{fill:var(--soft)}
svg .dot-value{fill:#fff;text-anchor:middle;font-size:11px;font-weight:700}svg .shown{text-anchor:end;font-variant-numeric:tabular-nums}
.legend{margin:-6px 0 8px;color:var(--soft);font-size:14px}
.key{display:inline-block;width:12px;height:12px;border-radius:4px;margin:0 4px 0 10px;vertical-align:-1px}.key:first-child{margin-left:0}
.bar-key{background:var(--blue)}.dot-key{background:var(--teal);border-radius:50%}
table{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:10px 8px;text-align:right;border-bottom:1px solid var(--line)}
th:first-child{text-align:left;padding-left:0}thead th{color:var(--soft);font-weight:500;font-size:13px}tbody th{font-weight:600}tbody tr:last-child>*{border-bottom:0}
.meter{display:inline-block;width:90px;height:8px;border-radius:4px;margin-right:10px;background:linear-gradient(to right,var(--blue) var(--share),var(--line) var(--share))}
.pill{font-size:13px;font-weight:600;border-radius:999px;padding:2px 12px;border:1.5px solid currentColor}
.pill.green{color:var(--green)}.pill.amber{color:var(--amber)}.pill.red{color:var(--red)}.pill.too-few{color:var(--soft)}
.causes{margin:14px 0 0;padding:0;list-style:none;color:var(--soft);font-size:14px}.causes b{color:var(--ink)}.causes li{margin:4px 0}
ul{padding-left:20px}footer{margin-top:26px;color:var(--soft);font-size:13.5px}.warn{color:var(--amber)}
@media (max-width:620px){h1{font-size:30px}.meter{display:none}.card{padding:18px 16px}.pair{grid-template-columns:1fr}th,td{padding:9px 4px;font-size:14px}}
@media print{body{background:#fff}.card,.kpi{break-inside:avoid}}
`;
