package host_test

import (
	"testing"

	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/tlsutil"
)

func TestAutoMTLSCarriesCalls(t *testing.T) {
	cfg := config(t, "serve", "")
	cfg.AutoMTLS = true
	if got := call(t, launch(t, cfg), "echo", "hello"); got != "hello" {
		t.Errorf("got %q", got)
	}
}

func TestAutoMTLSRefusesAPluginWithoutACertificate(t *testing.T) { // F20
	cfg := config(t, "noanswer", "")
	cfg.AutoMTLS = true
	failure := fail(t, within(t), cfg)
	if failure.Stage != host.StageNegotiate {
		t.Errorf("stage %s", failure.Stage)
	}
	mention(t, failure, "did not answer with a certificate", "turn AutoMTLS off")
}

func TestAutoMTLSRefusesWhatIsNoCertificate(t *testing.T) {
	line := handshake.Line{
		AppVersion: 1, Network: "unix", Address: "/x", Protocol: "fake",
		ServerCert: make([]byte, 64),
	}
	text, err := line.Format()
	if err != nil {
		t.Fatal(err)
	}
	cfg := config(t, "printed", text)
	cfg.AutoMTLS = true
	mention(t, fail(t, within(t), cfg), "the certificate that the plugin announced")
}

func TestACertificateThatNobodyAskedForIsExplained(t *testing.T) { // F2
	identity, err := tlsutil.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	cfg := config(t, "serve", "")
	cfg.Env = append(cfg.Env, handshake.EnvClientCert+"="+identity.PEM())
	mention(t, fail(t, within(t), cfg), "AutoMTLS is off", handshake.EnvClientCert)
}
