/// The report as one page of HTML.
public enum ReportPage {
    /// Writes the report of a run, complete or not, as one page without other files.
    ///
    /// The page has no script, follows the reader's choice of light or dark, and is well-formed XML after its first
    /// line.
    public static func html(_ run: BenchRun) -> String {
        PageWriter.write(ReportContent(of: run).document)
    }
}

/// The report as Markdown, with its plots as files beside it.
public enum ResultsPage {
    /// Writes the report of a run, complete or not, as GitHub's Markdown.
    ///
    /// It refers to its plots as `plots/<name>.svg`; `plots(_:)` makes them.
    public static func markdown(_ run: BenchRun) -> String {
        MarkdownWriter.write(ReportContent(of: run).document)
    }

    /// Draws the plots of the Markdown: the name of each file without `.svg`, and its text.
    public static func plots(_ run: BenchRun) -> [(name: String, svg: String)] {
        PlotSet(of: run).all.map { ($0.name, $0.file) }
    }
}
