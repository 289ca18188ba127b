package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// These are field numbers in descriptor.proto, and in the extension with the module's name
// in buf's images.
const (
	setFile    = 1
	fileOption = 8
	goPackage  = 11

	bufExtension  = 8042
	bufModuleInfo = 2
	bufModuleID   = 1
)

// descriptors renames the option go_package and the module's name in a FileDescriptorSet or
// in a buf image, and nothing else. So the image of the last release keeps its promises.
func (r renaming) descriptors(set []byte) ([]byte, error) {
	set, err := edit(set, []protowire.Number{setFile, fileOption, goPackage}, r.text)
	if err != nil {
		return nil, err
	}
	return edit(set, []protowire.Number{setFile, bufExtension, bufModuleInfo, bufModuleID}, func(id []byte) []byte {
		if bytes.Equal(id, encodeBufModule(r.old.buf)) {
			return encodeBufModule(r.new.buf)
		}
		return id
	})
}

// encodeBufModule encodes registry, owner and name as the fields 1 to 3.
func encodeBufModule(module string) []byte {
	var id []byte
	for i, part := range strings.Split(module, "/") {
		id = protowire.AppendTag(id, protowire.Number(i+1), protowire.BytesType)
		id = protowire.AppendString(id, part)
	}
	return id
}

// edit changes each field at path, from the outermost message inwards, and updates the
// enclosing lengths. All other bytes stay unchanged.
func edit(message []byte, path []protowire.Number, change func([]byte) []byte) ([]byte, error) {
	if len(path) == 0 {
		return change(message), nil
	}
	var edited []byte
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeField(message)
		if n < 0 {
			return nil, fmt.Errorf("no protobuf message: %w", protowire.ParseError(n))
		}
		field := message[:n]
		message = message[n:]
		if number != path[0] || kind != protowire.BytesType {
			edited = append(edited, field...)
			continue
		}
		_, _, tag := protowire.ConsumeTag(field)
		value, _ := protowire.ConsumeBytes(field[tag:])
		value, err := edit(value, path[1:], change)
		if err != nil {
			return nil, err
		}
		edited = protowire.AppendTag(edited, number, kind)
		edited = protowire.AppendBytes(edited, value)
	}
	return edited, nil
}

// These match bytes literals in protoc's Python code: a whole file descriptor, and its
// options.
var (
	pythonFile    = regexp.MustCompile(`AddSerializedFile\(b'((?:[^'\\]|\\.)*)'`)
	pythonOptions = regexp.MustCompile(`_serialized_options = b'((?:[^'\\]|\\.)*)'`)
)

// python renames in protoc's Python code. Regenerating it would need the same release of
// protoc, or other lines would change.
func (r renaming) python(text []byte) ([]byte, error) {
	text, err := r.literals(text, pythonFile, fileOption, goPackage)
	if err != nil {
		return nil, err
	}
	return r.literals(text, pythonOptions, goPackage)
}

// literals renames in the messages found by a pattern's group, at the field at path.
func (r renaming) literals(text []byte, pattern *regexp.Regexp, path ...protowire.Number) ([]byte, error) {
	var renamed []byte
	end := 0
	for _, at := range pattern.FindAllSubmatchIndex(text, -1) {
		message, err := unescape(string(text[at[2]:at[3]]))
		if err != nil {
			return nil, err
		}
		changed, err := edit(message, path, r.text)
		if err != nil {
			return nil, err
		}
		if bytes.Equal(changed, message) {
			continue
		}
		renamed = append(renamed, text[end:at[2]]...)
		renamed = append(renamed, escape(changed)...)
		end = at[3]
	}
	return append(renamed, text[end:]...), nil
}

// unescape returns the bytes of a Python literal.
func unescape(literal string) ([]byte, error) {
	var unescaped []byte
	for literal != "" {
		if strings.HasPrefix(literal, `\'`) || strings.HasPrefix(literal, `\"`) {
			literal = literal[1:]
		}
		char, _, rest, err := strconv.UnquoteChar(literal, 0)
		if err != nil || char > 0xff {
			return nil, fmt.Errorf("not a bytes literal: %q", literal)
		}
		unescaped = append(unescaped, byte(char))
		literal = rest
	}
	return unescaped, nil
}

// escape writes a Python literal as protoc does: it also escapes a hexadecimal digit after
// an escaped byte.
func escape(message []byte) []byte {
	const short = "\n\r\t\"'\\"
	var escaped []byte
	hex := false
	for _, char := range message {
		switch {
		case strings.IndexByte(short, char) >= 0:
			escaped = append(escaped, '\\', `nrt"'\`[strings.IndexByte(short, char)])
			hex = false
		case char < ' ' || char > '~' || hex && isHexDigit(char):
			escaped = fmt.Appendf(escaped, `\x%02x`, char)
			hex = true
		default:
			escaped = append(escaped, char)
			hex = false
		}
	}
	return escaped
}

func isHexDigit(char byte) bool {
	return strings.IndexByte("0123456789abcdefABCDEF", char) >= 0
}
