package dagstore

// #cgo noescape dsgo_cid_parse
// #cgo nocallback dsgo_cid_parse
// #cgo noescape dsgo_cid_format
// #cgo nocallback dsgo_cid_format
// #cgo noescape dsgo_cid_make
// #cgo nocallback dsgo_cid_make
// #cgo noescape dsgo_cid_split
// #cgo nocallback dsgo_cid_split
// #include "bridge.h"
import "C"

import (
	"unsafe"
)

// A CID is a binary CID, of version 0 or 1. It is a string, so that it is immutable and can be the
// key of a map.
//
// A cid.Cid of go-cid converts without a copy: CID(c.KeyString()). Bytes convert with CID(bytes).
type CID string

// A Multihash is a binary multihash: the code of a hash function, a size, and a digest.
type Multihash string

// The room for the CIDs and texts that usually occur.
const (
	cidRoom     = C.DAGSTORE_CID_SIZE
	cidTextRoom = 256
)

// ParseCID parses the text of a CID: base58btc for version 0; for version 1 a multibase prefix, one
// of f F b B c C v V t T h k K z Z m M u U.
//
// Errors: ErrInvalidCID; ErrInvalidArgument if the text is no UTF-8.
func ParseCID(text string) (CID, error) {
	if err := checkLibrary(); err != nil {
		return "", err
	}
	if err := checkText(text, "the CID"); err != nil {
		return "", newError(ErrInvalidCID, err.(*Error).Message)
	}
	var small [cidRoom]byte
	from, size := bytesOf(text)
	for buffer := small[:]; ; {
		data, capacity := roomOf(buffer)
		result := C.dsgo_cid_parse((*C.char)(unsafe.Pointer(from)), size, data, capacity)
		switch Code(result.status) {
		case 0:
			return CID(buffer[:result.number]), nil
		case ErrBufferTooSmall:
			buffer = make([]byte, result.number)
		default:
			return "", failure(result.status, result.error, "")
		}
	}
}

// MakeCID makes a version 1 CID of a codec and a multihash. A store finds blocks by multihash, so
// any codec works; 0x55 (raw) is usual.
//
// Errors: ErrInvalidCID if the bytes are not a multihash.
func MakeCID(codec uint64, multihash Multihash) (CID, error) {
	if err := checkLibrary(); err != nil {
		return "", err
	}
	var small [cidRoom]byte
	from, size := bytesOf(multihash)
	for buffer := small[:]; ; {
		data, capacity := roomOf(buffer)
		result := C.dsgo_cid_make(C.uint64_t(codec), from, size, data, capacity)
		switch Code(result.status) {
		case 0:
			return CID(buffer[:result.number]), nil
		case ErrBufferTooSmall:
			buffer = make([]byte, result.number)
		default:
			return "", failure(result.status, result.error, "")
		}
	}
}

// Text formats the CID: base58btc for version 0, base32 for version 1.
//
// Errors: ErrInvalidCID.
func (c CID) Text() (string, error) {
	if err := checkLibrary(); err != nil {
		return "", err
	}
	var small [cidTextRoom]byte
	from, size := bytesOf(c)
	for buffer := small[:]; ; {
		data, capacity := roomOf(buffer)
		result := C.dsgo_cid_format(from, size, (*C.char)(unsafe.Pointer(data)), capacity)
		switch Code(result.status) {
		case 0:
			return string(buffer[:result.number-1]), nil
		case ErrBufferTooSmall:
			buffer = make([]byte, result.number)
		default:
			return "", failure(result.status, result.error, "")
		}
	}
}

// String formats the CID as Text does; "(invalid CID)" if the bytes are not a CID.
func (c CID) String() string {
	text, err := c.Text()
	if err != nil {
		return "(invalid CID)"
	}
	return text
}

// Bytes copies the binary CID.
func (c CID) Bytes() []byte { return []byte(c) }

// MarshalText formats the CID as Text does, for encoding/json and others.
func (c CID) MarshalText() ([]byte, error) {
	text, err := c.Text()
	return []byte(text), err
}

// UnmarshalText parses the text of a CID as ParseCID does.
func (c *CID) UnmarshalText(text []byte) error {
	parsed, err := ParseCID(string(text))
	if err != nil {
		return err
	}
	*c = parsed
	return nil
}

// CIDParts are the parts of a CID.
type CIDParts struct {
	// Version is 0 or 1.
	Version int
	// Codec is the multicodec of the content, such as 0x55 (raw) or 0x70 (dag-pb).
	Codec uint64
	// HashCode is the multicodec of the hash function, such as 0x12 (sha2-256).
	HashCode uint64
	// Multihash shares the memory of the CID, and so does Digest.
	Multihash Multihash
	Digest    string
}

// Split splits the CID into its parts.
//
// Errors: ErrInvalidCID.
func (c CID) Split() (CIDParts, error) {
	if err := checkLibrary(); err != nil {
		return CIDParts{}, err
	}
	from, size := bytesOf(c)
	parts := C.dsgo_cid_split(from, size)
	if parts.status != 0 {
		return CIDParts{}, failure(parts.status, parts.error, "")
	}
	return CIDParts{
		Version:   int(parts.version),
		Codec:     uint64(parts.codec),
		HashCode:  uint64(parts.hash_code),
		Multihash: Multihash(c[parts.multihash_offset:]),
		Digest:    string(c[parts.digest_offset:]),
	}, nil
}

// Multihash returns the multihash of the CID, which shares its memory; "" if the bytes are not a
// CID.
func (c CID) Multihash() Multihash {
	parts, err := c.Split()
	if err != nil {
		return ""
	}
	return parts.Multihash
}
