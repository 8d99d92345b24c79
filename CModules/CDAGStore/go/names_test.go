package dagstore

import "testing"

// TestNames compares the table of codes with that of the library.
func TestNames(t *testing.T) {
	known := 0
	for code := Code(-1); code > -200; code-- {
		name := code.libraryName()
		if name != "unknown" {
			known++
		}
		if text, ok := codes[code]; ok && text.name != name {
			t.Errorf("the code %d has the name %s, and %s in the library", code, text.name, name)
		}
	}
	if known != len(codes) {
		t.Errorf("the library knows %d codes, and the package %d", known, len(codes))
	}
}
