-- Own queries in the shapes of TPC-H's 22, over schema `tpch` of schema.sql. All run on PostgreSQL 13 to 18.

-- name: q1 pricing summary
SELECT l_returnflag, l_linestatus,
       sum(l_quantity) AS quantity, sum(l_extendedprice) AS base_price,
       sum(l_extendedprice * (1 - l_discount)) AS discounted,
       sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) AS charged,
       avg(l_quantity) AS avg_quantity, avg(l_extendedprice) AS avg_price, avg(l_discount) AS avg_discount,
       count(*) AS lines
FROM tpch.lineitem
WHERE l_shipdate <= date '1998-12-01' - interval '90 days'
GROUP BY l_returnflag, l_linestatus
ORDER BY l_returnflag, l_linestatus

-- name: q2 cheapest supplier of a part
SELECT s_acctbal, s_name, n_name, p_partkey, p_mfgr, s_address, s_phone, s_comment
FROM tpch.part, tpch.supplier, tpch.partsupp, tpch.nation, tpch.region
WHERE p_partkey = ps_partkey AND s_suppkey = ps_suppkey AND p_size = 15 AND p_type LIKE '%BRASS'
  AND s_nationkey = n_nationkey AND n_regionkey = r_regionkey AND r_name = 'SOUTH'
  AND ps_supplycost = (SELECT min(ps_supplycost)
                       FROM tpch.partsupp, tpch.supplier, tpch.nation, tpch.region
                       WHERE p_partkey = ps_partkey AND s_suppkey = ps_suppkey AND s_nationkey = n_nationkey
                         AND n_regionkey = r_regionkey AND r_name = 'SOUTH')
ORDER BY s_acctbal DESC, n_name, s_name, p_partkey
LIMIT 100

-- name: q3 unshipped orders of most value
SELECT l_orderkey, sum(l_extendedprice * (1 - l_discount)) AS revenue, o_orderdate, o_shippriority
FROM tpch.customer, tpch.orders, tpch.lineitem
WHERE c_mktsegment = 'AUTO' AND c_custkey = o_custkey AND l_orderkey = o_orderkey
  AND o_orderdate < date '1995-06-15' AND l_shipdate > date '1995-06-15'
GROUP BY l_orderkey, o_orderdate, o_shippriority
ORDER BY revenue DESC, o_orderdate
LIMIT 10

-- name: q4 orders with a late line
SELECT o_orderpriority, count(*) AS orders
FROM tpch.orders
WHERE o_orderdate >= date '1995-07-01' AND o_orderdate < date '1995-07-01' + interval '3 months'
  AND EXISTS (SELECT * FROM tpch.lineitem WHERE l_orderkey = o_orderkey AND l_commitdate < l_receiptdate)
GROUP BY o_orderpriority
ORDER BY o_orderpriority

-- name: q5 revenue by nation of a region
SELECT n_name, sum(l_extendedprice * (1 - l_discount)) AS revenue
FROM tpch.customer
JOIN tpch.orders ON c_custkey = o_custkey
JOIN tpch.lineitem ON l_orderkey = o_orderkey
JOIN tpch.supplier ON l_suppkey = s_suppkey AND c_nationkey = s_nationkey
JOIN tpch.nation ON s_nationkey = n_nationkey
JOIN tpch.region ON n_regionkey = r_regionkey
WHERE r_name = 'NORTH' AND o_orderdate >= date '1995-01-01' AND o_orderdate < date '1996-01-01'
GROUP BY n_name
ORDER BY revenue DESC

-- name: q6 revenue forecast
SELECT sum(l_extendedprice * l_discount) AS revenue
FROM tpch.lineitem
WHERE l_shipdate >= date '1995-01-01' AND l_shipdate < date '1995-01-01' + interval '1 year'
  AND l_discount BETWEEN 0.06 - 0.01 AND 0.06 + 0.01 AND l_quantity < 24

-- name: q7 trade between two nations
SELECT supp_nation, cust_nation, l_year, sum(volume) AS revenue
FROM (SELECT n1.n_name AS supp_nation, n2.n_name AS cust_nation, extract(year FROM l_shipdate) AS l_year,
             l_extendedprice * (1 - l_discount) AS volume
      FROM tpch.supplier, tpch.lineitem, tpch.orders, tpch.customer, tpch.nation n1, tpch.nation n2
      WHERE s_suppkey = l_suppkey AND o_orderkey = l_orderkey AND c_custkey = o_custkey
        AND s_nationkey = n1.n_nationkey AND c_nationkey = n2.n_nationkey
        AND ((n1.n_name = 'NATION 1' AND n2.n_name = 'NATION 2') OR (n1.n_name = 'NATION 2' AND n2.n_name = 'NATION 1'))
        AND l_shipdate BETWEEN date '1995-01-01' AND date '1996-12-31') AS shipping
GROUP BY supp_nation, cust_nation, l_year
ORDER BY supp_nation, cust_nation, l_year

-- name: q8 market share
SELECT o_year, sum(CASE WHEN nation = 'NATION 3' THEN volume ELSE 0 END) / nullif(sum(volume), 0) AS share
FROM (SELECT extract(year FROM o_orderdate) AS o_year, l_extendedprice * (1 - l_discount) AS volume, n2.n_name AS nation
      FROM tpch.part, tpch.supplier, tpch.lineitem, tpch.orders, tpch.customer, tpch.nation n1, tpch.nation n2, tpch.region
      WHERE p_partkey = l_partkey AND s_suppkey = l_suppkey AND l_orderkey = o_orderkey AND o_custkey = c_custkey
        AND c_nationkey = n1.n_nationkey AND n1.n_regionkey = r_regionkey AND r_name = 'SOUTH'
        AND s_nationkey = n2.n_nationkey AND o_orderdate BETWEEN date '1995-01-01' AND date '1996-12-31'
        AND p_type = 'LARGE STEEL') AS all_nations
GROUP BY o_year
ORDER BY o_year

-- name: q9 profit by nation and year
SELECT nation, o_year, sum(amount) AS profit
FROM (SELECT n_name AS nation, extract(year FROM o_orderdate) AS o_year,
             l_extendedprice * (1 - l_discount) - ps_supplycost * l_quantity AS amount
      FROM tpch.part, tpch.supplier, tpch.lineitem, tpch.partsupp, tpch.orders, tpch.nation
      WHERE s_suppkey = l_suppkey AND ps_suppkey = l_suppkey AND ps_partkey = l_partkey AND p_partkey = l_partkey
        AND o_orderkey = l_orderkey AND s_nationkey = n_nationkey AND p_name LIKE '%oak%') AS profit
GROUP BY nation, o_year
ORDER BY nation, o_year DESC

-- name: q10 customers who return
SELECT c_custkey, c_name, sum(l_extendedprice * (1 - l_discount)) AS revenue, c_acctbal, n_name, c_address, c_phone, c_comment
FROM tpch.customer, tpch.orders, tpch.lineitem, tpch.nation
WHERE c_custkey = o_custkey AND l_orderkey = o_orderkey AND o_orderdate >= date '1995-10-01'
  AND o_orderdate < date '1995-10-01' + interval '3 months' AND l_returnflag = 'R' AND c_nationkey = n_nationkey
GROUP BY c_custkey, c_name, c_acctbal, c_phone, n_name, c_address, c_comment
ORDER BY revenue DESC
LIMIT 20

-- name: q11 stock that matters
SELECT ps_partkey, sum(ps_supplycost * ps_availqty) AS value
FROM tpch.partsupp, tpch.supplier, tpch.nation
WHERE ps_suppkey = s_suppkey AND s_nationkey = n_nationkey AND n_name = 'NATION 4'
GROUP BY ps_partkey
HAVING sum(ps_supplycost * ps_availqty) > (SELECT sum(ps_supplycost * ps_availqty) * 0.0001
                                           FROM tpch.partsupp, tpch.supplier, tpch.nation
                                           WHERE ps_suppkey = s_suppkey AND s_nationkey = n_nationkey AND n_name = 'NATION 4')
ORDER BY value DESC

-- name: q12 shipping modes and priority
SELECT l_shipmode,
       sum(CASE WHEN o_orderpriority = '1-HIGH' OR o_orderpriority = '2-MIDDLE' THEN 1 ELSE 0 END) AS high,
       sum(CASE WHEN o_orderpriority <> '1-HIGH' AND o_orderpriority <> '2-MIDDLE' THEN 1 ELSE 0 END) AS low
FROM tpch.orders, tpch.lineitem
WHERE o_orderkey = l_orderkey AND l_shipmode IN ('AIR', 'SHIP') AND l_commitdate < l_receiptdate
  AND l_shipdate < l_commitdate AND l_receiptdate >= date '1995-01-01' AND l_receiptdate < date '1995-01-01' + interval '1 year'
GROUP BY l_shipmode
ORDER BY l_shipmode

-- name: q13 distribution of customers by orders
SELECT c_count, count(*) AS custdist
FROM (SELECT c_custkey, count(o_orderkey)
      FROM tpch.customer LEFT OUTER JOIN tpch.orders ON c_custkey = o_custkey AND o_comment NOT LIKE '%special%requests%'
      GROUP BY c_custkey) AS c_orders (c_custkey, c_count)
GROUP BY c_count
ORDER BY custdist DESC, c_count DESC

-- name: q14 promotion effect
SELECT 100.00 * sum(CASE WHEN p_type LIKE 'LARGE%' THEN l_extendedprice * (1 - l_discount) ELSE 0 END)
       / sum(l_extendedprice * (1 - l_discount)) AS promo_revenue
FROM tpch.lineitem, tpch.part
WHERE l_partkey = p_partkey AND l_shipdate >= date '1995-09-01' AND l_shipdate < date '1995-09-01' + interval '1 month'

-- name: q15 top supplier
WITH revenue (supplier_no, total_revenue) AS (
    SELECT l_suppkey, sum(l_extendedprice * (1 - l_discount))
    FROM tpch.lineitem
    WHERE l_shipdate >= date '1996-01-01' AND l_shipdate < date '1996-01-01' + interval '3 months'
    GROUP BY l_suppkey)
SELECT s_suppkey, s_name, s_address, s_phone, total_revenue
FROM tpch.supplier, revenue
WHERE s_suppkey = supplier_no AND total_revenue = (SELECT max(total_revenue) FROM revenue)
ORDER BY s_suppkey

-- name: q16 suppliers per kind of part
SELECT p_brand, p_type, p_size, count(DISTINCT ps_suppkey) AS suppliers
FROM tpch.partsupp, tpch.part
WHERE p_partkey = ps_partkey AND p_brand <> 'B4' AND p_type NOT LIKE 'MEDIUM%' AND p_size IN (49, 14, 23, 45, 19, 3, 36, 9)
  AND ps_suppkey NOT IN (SELECT s_suppkey FROM tpch.supplier WHERE s_comment LIKE '%complaints%')
GROUP BY p_brand, p_type, p_size
ORDER BY suppliers DESC, p_brand, p_type, p_size

-- name: q17 small quantity orders
SELECT sum(l_extendedprice) / 7.0 AS avg_yearly
FROM tpch.lineitem, tpch.part
WHERE p_partkey = l_partkey AND p_brand = 'B3' AND p_container = 'BOX'
  AND l_quantity < (SELECT 0.2 * avg(l_quantity) FROM tpch.lineitem WHERE l_partkey = p_partkey)

-- name: q18 large orders
SELECT c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice, sum(l_quantity)
FROM tpch.customer, tpch.orders, tpch.lineitem
WHERE o_orderkey IN (SELECT l_orderkey FROM tpch.lineitem GROUP BY l_orderkey HAVING sum(l_quantity) > 20)
  AND c_custkey = o_custkey AND o_orderkey = l_orderkey
GROUP BY c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice
ORDER BY o_totalprice DESC, o_orderdate
LIMIT 100

-- name: q19 disjunctions
SELECT sum(l_extendedprice * (1 - l_discount)) AS revenue
FROM tpch.lineitem, tpch.part
WHERE (p_partkey = l_partkey AND p_brand = 'B1' AND p_container IN ('BOX', 'CASE') AND l_quantity BETWEEN 1 AND 11
       AND p_size BETWEEN 1 AND 5 AND l_shipmode IN ('AIR') AND l_shipinstruct = 'DELIVER')
   OR (p_partkey = l_partkey AND p_brand = 'B2' AND p_container IN ('BAG', 'BOX') AND l_quantity BETWEEN 10 AND 20
       AND p_size BETWEEN 1 AND 10 AND l_shipmode IN ('AIR', 'RAIL') AND l_shipinstruct = 'DELIVER')

-- name: q20 promotable suppliers
SELECT s_name, s_address
FROM tpch.supplier, tpch.nation
WHERE s_suppkey IN (SELECT ps_suppkey FROM tpch.partsupp
                    WHERE ps_partkey IN (SELECT p_partkey FROM tpch.part WHERE p_name LIKE 'oak%')
                      AND ps_availqty > (SELECT 0.5 * sum(l_quantity) FROM tpch.lineitem
                                         WHERE l_partkey = ps_partkey AND l_suppkey = ps_suppkey
                                           AND l_shipdate >= date '1995-01-01' AND l_shipdate < date '1995-01-01' + interval '1 year'))
  AND s_nationkey = n_nationkey AND n_name = 'NATION 5'
ORDER BY s_name

-- name: q21 suppliers who kept orders waiting
SELECT s_name, count(*) AS waited
FROM tpch.supplier, tpch.lineitem l1, tpch.orders, tpch.nation
WHERE s_suppkey = l1.l_suppkey AND o_orderkey = l1.l_orderkey AND o_orderstatus = 'F' AND l1.l_receiptdate > l1.l_commitdate
  AND EXISTS (SELECT * FROM tpch.lineitem l2 WHERE l2.l_orderkey = l1.l_orderkey AND l2.l_suppkey <> l1.l_suppkey)
  AND NOT EXISTS (SELECT * FROM tpch.lineitem l3 WHERE l3.l_orderkey = l1.l_orderkey AND l3.l_suppkey <> l1.l_suppkey
                    AND l3.l_receiptdate > l3.l_commitdate)
  AND s_nationkey = n_nationkey AND n_name = 'NATION 6'
GROUP BY s_name
ORDER BY waited DESC, s_name
LIMIT 100

-- name: q22 customers to win back
SELECT cntrycode, count(*) AS customers, sum(c_acctbal) AS balance
FROM (SELECT substring(c_phone FROM 1 FOR 2) AS cntrycode, c_acctbal
      FROM tpch.customer
      WHERE substring(c_phone FROM 1 FOR 2) IN ('13', '11', '23', '29', '30', '18', '17')
        AND c_acctbal > (SELECT avg(c_acctbal) FROM tpch.customer WHERE c_acctbal > 0.00
                           AND substring(c_phone FROM 1 FOR 2) IN ('13', '11', '23', '29', '30', '18', '17'))
        AND NOT EXISTS (SELECT * FROM tpch.orders WHERE o_custkey = c_custkey)) AS lost
GROUP BY cntrycode
ORDER BY cntrycode
