/// The style of the page.
enum PageStyle {
    static let css = """
        :root{color-scheme:light dark;\(PlotStyle.properties(\.light))}
        @media (prefers-color-scheme:dark){:root{\(PlotStyle.properties(\.dark))}}
        \(layout)\(PlotStyle.inline)
        """

    private static let layout = """
        *{box-sizing:border-box}
        html{-webkit-text-size-adjust:100%}
        body{margin:0;background:var(--back);color:var(--ink);
        font:16px/1.6 \(PlotStyle.font)}
        main{max-width:1160px;margin:0 auto;padding:56px 32px 96px}
        h1{font-size:2.1rem;line-height:1.2;letter-spacing:-.015em;margin:0 0 1.5rem;font-weight:650}
        h2{font-size:1.45rem;line-height:1.3;letter-spacing:-.01em;margin:4.5rem 0 1rem;
        padding-top:1.5rem;border-top:1px solid var(--grid);font-weight:650}
        h3{font-size:1.02rem;line-height:1.4;margin:2.25rem 0 .5rem;font-weight:600}
        p,ul{max-width:44rem;margin:0 0 1rem}
        ul{padding-left:1.2rem}
        li{margin:.3rem 0}
        a{color:var(--s0);text-decoration-thickness:1px;text-underline-offset:3px}
        code{font:.88em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;
        background:var(--band);border-radius:4px;padding:.1em .35em;overflow-wrap:anywhere}
        strong{font-weight:650}
        dl{margin:0 0 1.75rem;display:grid;gap:.45rem}
        dl div{display:grid;grid-template-columns:9.5rem minmax(0,1fr);gap:1rem}
        dt{color:var(--muted)}
        dd{margin:0;overflow-wrap:anywhere;max-width:52rem}
        nav{display:flex;flex-wrap:wrap;gap:.35rem 1.4rem;font-size:.95rem}
        .notice{border-left:4px solid var(--bad);background:var(--badback);
        padding:.85rem 1.1rem;border-radius:0 6px 6px 0}
        .note{color:var(--muted);font-size:.92rem;margin:0 0 .75rem}
        .scroll{overflow-x:auto;margin:0 0 1.5rem;outline-offset:2px}
        table{border-collapse:collapse;font-size:.875rem;line-height:1.5;
        font-variant-numeric:tabular-nums;min-width:100%}
        th{color:var(--muted);font-weight:500;text-align:left;white-space:nowrap;
        vertical-align:bottom;border-bottom:1px solid var(--axis)}
        td{vertical-align:top;border-bottom:1px solid var(--grid)}
        th,td{padding:.5rem .75rem .5rem 0}
        th:last-child,td:last-child{padding-right:0}
        td{white-space:nowrap}
        #section-targets~.scroll td:nth-child(2){white-space:normal;min-width:9rem}
        .number{text-align:right}
        th.number,td.number{padding-left:.4rem}
        th.number:first-child,td.number:first-child{padding-left:0}
        .pass,.fail{font-weight:600;white-space:nowrap}
        .pass{color:var(--good)}
        .fail{color:var(--bad)}
        .pass::before{content:"\\25CF\\2002"/"";font-size:.8em}
        .fail::before{content:"\\25C6\\2002"/"";font-size:.8em}
        figure{margin:0 0 1.25rem;overflow-x:auto}
        figure svg{display:block;width:100%;max-width:560px;min-width:340px;height:auto;margin-left:-12px}
        figure.wide svg{max-width:640px}
        .panel{margin:0 0 2rem}
        @media (min-width:1000px){
        .beside .pair{display:grid;grid-template-columns:minmax(0,500px) minmax(0,1fr);gap:2rem;
        align-items:start}
        }
        @media (max-width:600px){
        main{padding:28px 16px 64px}
        h1{font-size:1.7rem}
        h2{margin-top:3rem}
        dl{gap:.9rem}
        dl div{grid-template-columns:1fr;gap:0}
        table{font-size:.83rem}
        }
        @media print{main{max-width:none;padding:0}.scroll,figure{overflow:visible}}

        """
}
