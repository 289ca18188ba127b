//go:build unix

package faults

import (
	"crypto"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"sync"
	"testing"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/verify"
)

// TestF18: several launches use one checksum.
func TestF18(t *testing.T) {
	t.Run("goplugin", testF18GoPlugin)
	t.Run("jackfield", testF18Jackfield)
}

// ownSum returns the checksum of this program; it is also the plugin.
func ownSum(t *testing.T) []byte {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(self)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		t.Fatal(err)
	}
	return hash.Sum(nil)
}

func testF18GoPlugin(t *testing.T) {
	w := newWorld(t)
	secure := &goplugin.SecureConfig{Checksum: ownSum(t), Hash: sha256.New()}
	withSum := func(config *goplugin.ClientConfig) { config.SecureConfig = secure }
	if _, err := w.goplugin(t, "goplugin/plugin", "", withSum).Start(); err != nil {
		t.Fatalf("the first start: %v", err)
	}
	_, err := w.goplugin(t, "goplugin/plugin", "", withSum).Start()
	t.Logf("the second start: %v", err)
	if !errors.Is(err, goplugin.ErrChecksumsDoNotMatch) {
		t.Errorf("got %v, expected %v", err, goplugin.ErrChecksumsDoNotMatch)
	}
}

// testF18Jackfield uses one verifier repeatedly and concurrently, with and without a cache.
// Each launch refuses a wrong checksum.
func testF18Jackfield(t *testing.T) {
	sum := ownSum(t)
	eachPlugin(t, func(t *testing.T, role string) {
		w := newWorld(t)
		cfg, _ := w.jackfield(t, role, "")
		cfg.Verify.Verifier = verify.Checksum(crypto.SHA256, sum)
		cache := new(verify.Cache)
		defer func() { _ = cache.Close() }()
		for _, programs := range []*verify.Cache{nil, cache} {
			cfg.Verify.Cache = programs
			for range 2 {
				launchConfig(t, cfg).expectAlive(t)
			}
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					client, err := host.Launch(bounded(t), cfg)
					if err != nil {
						t.Error(err)
						return
					}
					if err := client.Kill(bounded(t)); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
		}
		wrong := append([]byte{sum[0] + 1}, sum[1:]...)
		cfg.Verify.Verifier = verify.Checksum(crypto.SHA256, wrong)
		for range 2 {
			var mismatch *verify.ChecksumError
			if _, err := host.Launch(bounded(t), cfg); !errors.As(err, &mismatch) {
				t.Errorf("got %v, expected a verify.ChecksumError", err)
			}
		}
	})
}
