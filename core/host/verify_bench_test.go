package host_test

import (
	"crypto"
	"crypto/sha256"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/verify"
)

// largeProgram is the size of a large plugin in bytes.
const largeProgram = 500_000_000

// BenchmarkVerifiedLaunch compares launches that are not verified with those that
// are, by what an earlier one left in a cache. They take turns, and the medians
// are reported. An operation is one launch of each.
func BenchmarkVerifiedLaunch(b *testing.B) {
	b.Run("500MB", func(b *testing.B) {
		cfg, sum := large(b)
		compareLaunches(b, cfg, sum)
	})
	b.Run("test binary", func(b *testing.B) {
		cfg, sum := installed(b)
		settled(b, cfg.Command.Path)
		compareLaunches(b, cfg, sum)
	})
}

func compareLaunches(b *testing.B, cfg host.Config, sum []byte) {
	b.Helper()
	cache := new(verify.Cache)
	defer cache.Close()
	cached := cfg
	cached.Verify = verify.Config{Verifier: verify.Checksum(crypto.SHA256, sum), Cache: cache}
	launchAndClose(b, cfg)
	launchAndClose(b, cached) // makes the copy
	times := make([][]time.Duration, 2)
	for b.Loop() {
		for i, cfg := range []host.Config{cfg, cached} {
			start := time.Now()
			launchAndClose(b, cfg)
			times[i] = append(times[i], time.Since(start))
		}
	}
	for i, name := range []string{"unverified-ms", "cached-ms"} {
		slices.Sort(times[i])
		b.ReportMetric(float64(times[i][len(times[i])/2].Microseconds())/1000, name)
	}
}

// BenchmarkVerificationOfALargeProgram is the price of the first launch.
func BenchmarkVerificationOfALargeProgram(b *testing.B) {
	cfg, sum := large(b)
	cfg.Verify.Verifier = verify.Checksum(crypto.SHA256, sum)
	for b.Loop() {
		launchAndClose(b, cfg)
	}
}

// large is a plugin of 500 MB, and its sum.
func large(b *testing.B) (cfg host.Config, sum []byte) {
	b.Helper()
	cfg, _ = installed(b)
	file, err := os.OpenFile(cfg.Command.Path, os.O_RDWR, 0)
	if err != nil {
		b.Fatal(err)
	}
	if err := file.Truncate(largeProgram); err != nil {
		b.Fatal(err)
	}
	digest := sha256.New()
	if _, err := io.Copy(digest, file); err != nil {
		b.Fatal(err)
	}
	if err := file.Close(); err != nil { // or it is busy
		b.Fatal(err)
	}
	settled(b, cfg.Command.Path)
	return cfg, digest.Sum(nil)
}
