# One certificate for each host name. Google issues it once the owner of the domain has published the CNAME that proves
# it (output dns_records), and renews it without anybody.
locals {
  # "kobi" is ours; a tenant's slug has the prefix of its own kind, so the two cannot meet.
  hosts = merge({ kobi = var.domain }, { for tenant, host in var.tenant_domains : "tenant-${tenant}" => host })
}

resource "google_certificate_manager_certificate_map" "front" {
  name        = "meta-ads"
  description = "Host names of the load balancer"

  depends_on = [google_project_service.api]
}

resource "google_certificate_manager_dns_authorization" "host" {
  for_each = local.hosts

  name   = each.key
  domain = each.value

  depends_on = [google_project_service.api]
}

resource "google_certificate_manager_certificate" "host" {
  for_each = local.hosts

  name = each.key

  managed {
    domains            = [each.value]
    dns_authorizations = [google_certificate_manager_dns_authorization.host[each.key].id]
  }
}

resource "google_certificate_manager_certificate_map_entry" "host" {
  for_each = local.hosts

  name         = each.key
  map          = google_certificate_manager_certificate_map.front.name
  hostname     = each.value
  certificates = [google_certificate_manager_certificate.host[each.key].id]
}
