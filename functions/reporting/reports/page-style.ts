/** The page's style: one column, readable on a phone, in the dark and on paper. */
export const pageStyle = `
:root{--ink:#14213d;--soft:#5b6785;--line:#e3e8f2;--page:#f5f7fb;--card:#fff;--blue:#2f6bff;--blue-soft:#dfe8ff;--teal:#0b7a6c;--on-teal:#fff;--green:#1f8a4c;--amber:#b26a00;--red:#c4314b;color-scheme:light dark}
@media (prefers-color-scheme:dark){:root{--ink:#e9eefb;--soft:#a3afcc;--line:#2a3550;--page:#0e1525;--card:#161f33;--blue:#6c97ff;--blue-soft:#25335a;--teal:#3fc9b4;--on-teal:#06231f;--green:#5ccb8b;--amber:#f0b050;--red:#ff7c90}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:880px;margin:0 auto;padding:40px 20px 56px}
header{margin-bottom:26px}
.kicker{margin:0;color:var(--blue);font-weight:600;letter-spacing:.04em;text-transform:uppercase;font-size:13px}
h1,tbody th,.causes,.warn{overflow-wrap:anywhere}h1{margin:4px 0;font-size:38px;line-height:1.15;letter-spacing:-.02em}
h2{margin:0 0 14px;font-size:19px;letter-spacing:-.01em;display:flex;gap:10px;align-items:center;flex-wrap:wrap}
h3{margin:14px 0 4px;font-size:14px}
.when{margin:0;color:var(--soft);font-size:17px}
.card,.kpi{background:var(--card);border:1px solid var(--line);border-radius:16px}
.card{padding:22px 24px;margin:16px 0}
.kpis{display:grid;grid-template-columns:repeat(auto-fit,minmax(140px,1fr));gap:12px}.aside{color:var(--soft)}
.kpi{padding:15px 14px}
.kpi h3{margin:0;font-size:13.5px;line-height:1.3;min-height:2.6em;display:flex;align-items:end;color:var(--soft);font-weight:500}
.figure{margin:4px 0 2px;font-size:21px;line-height:1.25;font-weight:700;letter-spacing:-.02em;font-variant-numeric:tabular-nums}
small{font-size:13px;font-weight:600;color:var(--soft);letter-spacing:0}
.change{margin:0;font-size:12.5px;color:var(--soft)}
.change.up{color:var(--green)}.change.down{color:var(--red)}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(380px,1fr));gap:0 16px}
.pair .card{margin:0}
svg{display:block;width:100%;height:auto;overflow:visible}.on-phone{display:none}
svg text{fill:var(--ink);font:13px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif}
.bar{fill:var(--blue)}.bar.other{fill:var(--teal)}.track{fill:var(--line)}.minus{fill:var(--blue-soft);stroke:var(--blue);stroke-width:1}.plus{fill:var(--teal);opacity:.5}
.base{stroke:var(--line)}.line{fill:none;stroke:var(--teal);stroke-width:2.5;stroke-linejoin:round}.dot{fill:var(--teal)}
svg .value,svg .axis{text-anchor:middle}svg .value{fill:var(--soft);font-size:12px}svg .axis{fill:var(--soft)}
svg .dot-value{fill:var(--on-teal);text-anchor:middle;font-size:11px;font-weight:700}svg .shown{text-anchor:end;font-variant-numeric:tabular-nums}
.legend{margin:-6px 0 8px;color:var(--soft);font-size:14px}
.key{display:inline-block;width:12px;height:12px;border-radius:4px;margin:0 4px 0 10px;vertical-align:-1px}.key:first-child{margin-left:0}
.bar-key{background:var(--blue)}.dot-key{background:var(--teal);border-radius:50%}
table{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:10px 8px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child{text-align:left;padding-left:0}thead th{color:var(--soft);font-weight:500;font-size:13px}tbody th{font-weight:600;white-space:normal}tbody tr:last-child>*{border-bottom:0}
.meter{display:inline-block;width:70px;height:8px;border-radius:4px;margin-right:10px;background:linear-gradient(to right,var(--blue) var(--share),var(--line) var(--share))}
.pill{font-size:13px;font-weight:600;border-radius:999px;padding:2px 12px;border:1.5px solid currentColor}
.pill.green{color:var(--green)}.pill.amber{color:var(--amber)}.pill.red{color:var(--red)}.pill.too-few{color:var(--soft)}
.causes{margin:14px 0 0;padding:0;list-style:none;color:var(--soft);font-size:14px}.causes b{color:var(--ink)}.causes li{margin:4px 0}
ul{padding-left:20px}footer{margin-top:26px;color:var(--soft);font-size:13.5px}.warn{color:var(--amber)}
@media (max-width:620px){main{padding:28px 16px 40px}h1{font-size:30px}.card{padding:18px 16px}.pair{grid-template-columns:1fr;gap:16px}.on-wide{display:none}.on-phone{display:block}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}table,tbody{display:block}tr{display:grid;grid-template-columns:1.35fr 1fr 1.35fr .75fr;gap:0 6px;padding:12px 0;border-bottom:1px solid var(--line)}tbody tr:last-child{border-bottom:0;padding-bottom:0}
th,td{border:0;padding:0;font-size:14px;text-align:left}tbody th{grid-column:1/-1;margin-bottom:6px}td::before{content:attr(data-name);display:block;color:var(--soft);font-size:12px}.meter{display:none}}
@media print{body{background:#fff}.card,.kpi{break-inside:avoid}}
`;
