/// A queue: the element that came first leaves first.
///
/// *Cost*: O(1) at both ends, amortized.
package struct FIFOQueue<Element> {
    // Places before `head` are nil, so that they hold nothing of their elements.
    @usableFromInline var elements: [Element?] = []
    @usableFromInline var head = 0

    /// Creates an empty queue.
    @inlinable
    package init() {}

    /// The number of elements.
    @inlinable
    package var count: Int { elements.count - head }

    /// Whether the queue has no elements.
    @inlinable
    package var isEmpty: Bool { head == elements.count }

    /// The element that leaves next; nil if the queue is empty.
    @inlinable
    package var first: Element? { head < elements.count ? elements[head] : nil }

    /// Adds an element at the end.
    @inlinable
    package mutating func append(_ element: Element) { elements.append(element) }

    /// Removes the first element.
    ///
    /// - Returns: The element; nil if the queue is empty.
    @inlinable
    @discardableResult
    package mutating func popFirst() -> Element? {
        guard head < elements.count else { return nil }
        let element = elements[head]
        elements[head] = nil
        head += 1
        // At least half of the array is unused, so every element moves once on average.
        if head * 2 >= elements.count {
            elements.removeFirst(head)
            head = 0
        }
        return element
    }
}
