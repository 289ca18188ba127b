package handshake_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
)

func TestParseRefusesALineOverTheLimit(t *testing.T) {
	const start = "1|1|unix|/tmp/plugin1|netrpc||"
	fits := start + strings.Repeat("x", handshake.MaxLine-len(start))
	if _, err := handshake.Parse(fits); err != nil {
		t.Errorf("a line of %d bytes: %v", len(fits), err)
	}
	var parse *handshake.ParseError
	if _, err := handshake.Parse(fits + "x"); !errors.As(err, &parse) || parse.Field != handshake.FieldLine {
		t.Errorf("a line of %d bytes: error %v, want a ParseError of the line", len(fits)+1, err)
	}
}

func TestParseErrorsQuoteABoundedPieceOfTheLine(t *testing.T) {
	for name, line := range map[string]string{
		"one long word":      strings.Repeat("x", handshake.MaxLine),
		"over the limit":     strings.Repeat("x", handshake.MaxLine+1),
		"a long version":     "1|" + strings.Repeat("9", 5000) + "|unix|/tmp/plugin1",
		"a long network":     "1|1|" + strings.Repeat("n", 5000) + "|/tmp/plugin1",
		"a long certificate": "1|1|unix|/tmp/plugin1|grpc|" + strings.Repeat("!", 5000),
	} {
		_, err := handshake.Parse(line)
		if err == nil || len(err.Error()) > 500 {
			t.Errorf("%s: error %v, want a short one", name, err)
		}
	}
}

func TestParseAcceptsOneTextPerCertificate(t *testing.T) {
	text := strings.Repeat("MIIB", 20)
	for name, field := range map[string]string{
		"unused bits set":   text + "MB",
		"a carriage return": text + "\r" + text,
		"a line break":      text + "\n" + text,
	} {
		var parse *handshake.ParseError
		if _, err := handshake.Parse("1|1|unix|/tmp/plugin1|grpc|" + field); !errors.As(err, &parse) || parse.Field != handshake.FieldServerCert {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestErrorTextsAreSafeAndNameTheRemedy(t *testing.T) {
	_, err := handshake.Parse("1|1|unix|/tmp/\x1b[31mred|netrpc|")
	if err == nil || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("error %q lets an escape sequence through", err)
	}
	for _, c := range []struct{ line, want, hint string }{
		{"hello", `handshake line "hello": has 1 of at least 4 fields`, "the plugin must print CORE|APP|NETWORK|ADDRESS|PROTOCOL|CERT"},
		{"1|1|pipe|/tmp/p", `handshake line: network "pipe": is unknown`, `the plugin must announce "unix" or "tcp"`},
		{"1|x|unix|/tmp/p", `handshake line: application version "x": is not a decimal number from 0 to 2147483647`, ""},
		{
			"2|1|unix|/tmp/p", "the plugin speaks core protocol version 2 and this host speaks version 1: install another release of the plugin",
			"rebuild the plugin against a plugin library that speaks core protocol version 1",
		},
	} {
		if _, err := handshake.Parse(c.line); err == nil || err.Error() != c.want || core.Hint(err) != c.hint {
			t.Errorf("Parse(%q): error\n%v, want\n%s, with the hint\n%s, want\n%s", c.line, err, c.want, core.Hint(err), c.hint)
		}
	}
}

func TestFormatRefusesLinesUnreadableToHosts(t *testing.T) {
	good := handshake.Line{AppVersion: 1, Network: "unix", Address: "/tmp/plugin1", Protocol: "netrpc"}
	for name, change := range map[string]func(*handshake.Line){
		"another core version": func(l *handshake.Line) { l.CoreVersion = 2 },
		"a line over the limit": func(l *handshake.Line) {
			l.Fields = []string{strings.Repeat("x", handshake.MaxLine)}
		},
		"a certificate over the limit": func(l *handshake.Line) { l.ServerCert = make([]byte, handshake.MaxLine) },
	} {
		line := good
		change(&line)
		text, err := line.Format()
		var format *handshake.FormatError
		if !errors.As(err, &format) || text != "" || len(err.Error()) > 500 {
			t.Errorf("%s: Format() = %q, %v; want a short FormatError", name, text, err)
		}
	}
}

func TestFormatDoesNotChangeTheLine(t *testing.T) {
	fields := make([]string, 1, 10)
	fields[0] = "true"
	line := handshake.Line{AppVersion: 1, Network: "unix", Address: "/tmp/plugin1", Fields: fields}
	if _, err := line.Format(); err != nil {
		t.Fatal(err)
	}
	if line.Protocol != "" || line.Fields[0] != "true" || fields[:2][1] != "" {
		t.Errorf("Format changed the line to %+v", line)
	}
}

func TestSplitGluedStaysLinearOnHostileLines(t *testing.T) {
	for name, line := range map[string]string{
		"beginnings that never parse": strings.Repeat("x1|1|tcp|", handshake.MaxLine/9),
		"many numbers":                strings.Repeat("1|", handshake.MaxLine/2),
		"over the limit":              "x1|1|unix|/tmp/plugin1|netrpc|" + strings.Repeat("x", handshake.MaxLine),
	} {
		if noise, rest, ok := handshake.SplitGlued(line); ok {
			t.Errorf("%s: found %.40q and %.40q", name, noise, rest)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	const line = "1|3|unix|/tmp/plugin1234567/s|netrpc|"
	b.ReportAllocs()
	for b.Loop() {
		if _, err := handshake.Parse(line); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSplitGluedHostile(b *testing.B) {
	line := strings.Repeat("x1|1|tcp|", handshake.MaxLine/9)
	for b.Loop() {
		handshake.SplitGlued(line)
	}
}
