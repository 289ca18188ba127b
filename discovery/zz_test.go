package discovery_test
import ("testing";"os";"syscall";"time";"sort")
func TestZZ(t *testing.T){ s:=many(t); s.Find(t.Context()); var ru0,ru1 syscall.Rusage; var ws,bs []float64; n:=150; var u,sy float64; for range n { syscall.Getrusage(0,&ru0); st:=time.Now(); s.Find(t.Context()); ws=append(ws,time.Since(st).Seconds()*1e3); syscall.Getrusage(0,&ru1); u+=float64(ru1.Utime.Nano()-ru0.Utime.Nano())/1e6; sy+=float64(ru1.Stime.Nano()-ru0.Stime.Nano())/1e6
 st=time.Now(); for _,d:=range s.Dirs{ es,_:=os.ReadDir(d.Path); for _,e:=range es{e.Info()}}; bs=append(bs,time.Since(st).Seconds()*1e3)}
sort.Float64s(ws);sort.Float64s(bs)
t.Logf("user %.1f sys %.1f ms/op, wall min %.1f p10 %.1f med %.1f; bare sequential min %.1f p10 %.1f med %.1f", u/float64(n), sy/float64(n), ws[0], ws[n/10], ws[n/2], bs[0],bs[n/10],bs[n/2]) }
