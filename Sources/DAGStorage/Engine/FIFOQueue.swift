/// Elements in the order in which they came, taken from the front in constant time on average.
struct FIFOQueue<Element> {
    private var elements: [Element] = []
    /// How many elements at the start of the array were taken.
    private var head = 0

    /// The number of elements.
    var count: Int { elements.count - head }

    /// Adds an element at the end.
    mutating func append(_ element: Element) { elements.append(element) }

    /// Takes the first element; nil if there is none.
    @discardableResult
    mutating func popFirst() -> Element? {
        guard head < elements.count else { return nil }
        let element = elements[head]
        head += 1
        if head > 64, head * 2 > elements.count {
            elements.removeFirst(head)
            head = 0
        }
        return element
    }
}
