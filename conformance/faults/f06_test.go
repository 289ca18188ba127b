//go:build unix

package faults

import (
	"errors"
	"testing"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/jackfield-go/jackfield/conformance/goplugin/probeplugin"
	"github.com/jackfield-go/jackfield/conformance/goplugin/recorder"
	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/conformance/netrpc/ourprobe"
	"github.com/jackfield-go/jackfield/core/host"
)

// TestF6: a host passes on the reattach data of a plugin with a negotiated version.
func TestF6(t *testing.T) {
	t.Run("goplugin", testF6GoPlugin)
	t.Run("jackfield", testF6Jackfield)
}

func testF6GoPlugin(t *testing.T) {
	s := newWorld(t).goplugin(t, "goplugin/plugin", "", nil)
	if _, err := s.probe(); err != nil {
		t.Fatal(err)
	}
	data := s.ReattachConfig()
	if got, version := data.ProtocolVersion, s.NegotiatedVersion(); got != 0 || version != 1 {
		t.Errorf("the data has version %d, and the negotiated version is %d", got, version)
	}
	config := probeplugin.Client(oneVersion())
	config.Reattach = data
	config.Logger = recorder.New(nil).Logger()
	protocol, err := goplugin.NewClient(config).Client()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := protocol.Dispense(probeName); err == nil {
		t.Error("the attached host dispenses from versioned plugin sets")
	} else {
		t.Logf("the attached host: %v", err)
	}
}

// testF6Jackfield attaches as a host with two versions: the data has the negotiated version.
func testF6Jackfield(t *testing.T) {
	eachPlugin(t, func(t *testing.T, role string) {
		w := newWorld(t)
		cfg, _ := w.jackfield(t, role, "")
		cfg.Command.Outlive = true
		first := launchConfig(t, cfg)
		data, err := first.Reattach()
		if err != nil {
			t.Fatal(err)
		}
		if data.Line.AppVersion != 1 {
			t.Errorf("the data has version %d", data.Line.AppVersion)
		}
		cfg.Versions = ourprobe.Versions(shared.Versions{Numbers: []int{1, 2}})
		second, err := host.Attach(bounded(t), cfg, data)
		if err != nil {
			t.Fatal(err)
		}
		s := &ourSubject{Client: second}
		if s.Probe, err = host.Dispense(bounded(t), second, ourprobe.Plugin); err != nil {
			t.Fatal(err)
		}
		s.expectAlive(t)
		if err := errors.Join(second.Close(), second.Err()); err != nil {
			t.Error(err)
		}
		<-first.Done()
		w.expectGone(t)
	})
}
