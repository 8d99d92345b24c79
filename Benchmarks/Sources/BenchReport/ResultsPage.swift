/// The report as Markdown, with its plots as files beside it.
public enum ResultsPage {
    /// Writes the whole report as GitHub's Markdown.
    ///
    /// It refers to its plots as `plots/<name>.svg`; `plots(_:)` makes them.
    ///
    /// - Parameter run: The run, complete or not.
    /// - Returns: The text of a file such as `RESULTS.md`.
    public static func markdown(_ run: BenchRun) -> String {
        MarkdownWriter.write(ReportContent(of: run).document)
    }

    /// Draws every plot that the Markdown refers to.
    ///
    /// - Parameter run: The run, complete or not.
    /// - Returns: The name of each file without `.svg`, and its text; no name comes twice.
    public static func plots(_ run: BenchRun) -> [(name: String, svg: String)] {
        PlotSet(of: run).all.map { ($0.name, $0.file) }
    }
}
