resource "network" "front" {
  name  = "front"
  ports = [443]
}
