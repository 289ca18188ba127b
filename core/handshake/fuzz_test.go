package handshake_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core/handshake"
)

// FuzzParse checks two outcomes for any line: a bounded, typed error, or a
// Line. A Line accepted by Format must survive the round trip.
func FuzzParse(f *testing.F) {
	var vectors handshakeVectors
	loadVectors(f, "handshake.json", &vectors)
	for _, v := range vectors.Parse {
		f.Add(v.Line)
	}
	for _, v := range vectors.Glued {
		f.Add(v.Line)
	}
	f.Fuzz(func(t *testing.T, text string) {
		line, err := handshake.Parse(text)
		checkGlued(t, text)
		if err != nil {
			checkRefusal(t, err)
			return
		}
		if !handshake.IsCandidate(text) {
			t.Errorf("%q parses and counts as noise", text)
		}
		if line.CoreVersion != handshake.CoreVersion || line.AppVersion < 0 || line.Address == "" || line.Protocol == "" {
			t.Errorf("Parse(%q) = %+v", text, line)
		}
		checkRoundTrip(t, line)
	})
}

func checkRefusal(t *testing.T, err error) {
	t.Helper()
	var parse *handshake.ParseError
	var core *handshake.CoreVersionError
	switch {
	case errors.As(err, &parse):
	case errors.As(err, &core) && core.Got != handshake.CoreVersion:
	default:
		t.Errorf("untyped error %v", err)
	}
	if len(err.Error()) > 1000 || strings.ContainsAny(err.Error(), "\x00\x1b\n\r") {
		t.Errorf("error text %q", err)
	}
}

func checkGlued(t *testing.T, text string) {
	t.Helper()
	noise, rest, ok := handshake.SplitGlued(text)
	if !ok {
		return
	}
	if _, err := handshake.Parse(rest); err != nil || noise+rest != text || strings.TrimSpace(noise) == "" {
		t.Errorf("SplitGlued(%q) = %q, %q: %v", text, noise, rest, err)
	}
}

func checkRoundTrip(t *testing.T, line handshake.Line) {
	t.Helper()
	text, err := line.Format()
	if err != nil {
		return
	}
	if strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, "\n") {
		t.Errorf("Format() = %q is not one line", text)
	}
	again, err := handshake.Parse(text)
	if err != nil || !reflect.DeepEqual(again, line) {
		t.Errorf("%q reads as %+v, %v; it was written from %+v", text, again, err, line)
	}
}

// FuzzFormat checks that Parse returns every Line accepted by Format.
func FuzzFormat(f *testing.F) {
	f.Add(1, "unix", "/tmp/plugin1", "netrpc", []byte(nil), "")
	f.Add(2, "tcp", "127.0.0.1:1", "grpc", make([]byte, 100), "true|k=v")
	f.Fuzz(func(t *testing.T, app int, network, address, protocol string, cert []byte, fields string) {
		line := handshake.Line{
			CoreVersion: handshake.CoreVersion, AppVersion: app,
			Network: network, Address: address, Protocol: protocol,
		}
		if len(cert) > 0 {
			line.ServerCert = cert
		}
		if fields != "" {
			line.Fields = strings.Split(fields, "|")
		}
		if line.Protocol == "" {
			line.Protocol = handshake.DefaultProtocol
		}
		checkRoundTrip(t, line)
	})
}

// FuzzReadEnvironment checks that any variables give a usable, bounded
// Environment, and that sending it again gives the same Environment.
func FuzzReadEnvironment(f *testing.F) {
	var vectors environmentVectors
	loadVectors(f, "env.json", &vectors)
	for _, v := range vectors.Read {
		get := v.Variables
		f.Add(get[handshake.EnvProtocolVersions], get[handshake.EnvMinPort], get[handshake.EnvMaxPort],
			get[handshake.EnvClientCert], get[handshake.EnvFields])
	}
	f.Add("", "", "", "", "versions,,for:A,for:B")
	f.Fuzz(func(t *testing.T, versions, minPort, maxPort, cert, fields string) {
		env, err := handshake.ReadEnvironment(lookupIn(map[string]string{
			handshake.EnvProtocolVersions: versions, handshake.EnvMinPort: minPort,
			handshake.EnvMaxPort: maxPort, handshake.EnvClientCert: cert, handshake.EnvFields: fields,
		}))
		if (err != nil) != (len(badVariables(err)) > 0) {
			t.Errorf("untyped error %v", err)
		}
		if len(env.Versions) > 1024 || len(env.Fields) > 32 || len(env.ClientCert) > handshake.MaxLine ||
			env.MinPort < 0 || env.MinPort > env.MaxPort || env.MaxPort > 65535 {
			t.Errorf("out of bounds: %+v", env)
		}
		again := reread(t, env)
		again.MinPort, again.MaxPort = env.MinPort, env.MaxPort // both 0 are sent as the default range
		env.Versions = slices.Compact(slices.Sorted(slices.Values(env.Versions)))
		if !reflect.DeepEqual(again, env) {
			t.Errorf("sent %+v, read %+v", env, again)
		}
	})
}
