/// The report as one page of HTML.
public enum ReportPage {
    /// Writes the whole report as one page that needs nothing beside it.
    ///
    /// The page has no script, follows the reader's choice of light or dark, and is well-formed XML
    /// after its first line.
    ///
    /// - Parameter run: The run, complete or not.
    /// - Returns: The text of a file such as `report.html`.
    public static func html(_ run: BenchRun) -> String {
        PageWriter.write(ReportContent(of: run).document)
    }
}
